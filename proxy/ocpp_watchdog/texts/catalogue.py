"""The catalogue: one entry per sentence, both languages side by side, placeholders by name.

A test holds every entry to the same placeholders in both languages. Values are put in as text; ``wording.py`` makes
numbers and times readable before.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Language(StrEnum):
    """What the program speaks."""

    DE = "de"
    EN = "en"


class Sentence(NamedTuple):
    """The same sentence twice."""

    de: str
    en: str

    def __call__(self, language: Language, **values: str) -> str:
        """The sentence in this language. Raises KeyError on a missing value: a bug of ours, found by the tests."""
        return (self.de if language is Language.DE else self.en).format_map(values)


Said: TypeAlias = str | Sentence
"""What is put into a sentence: text, or a sentence of its own."""


def in_language(values: Mapping[str, Said], language: Language) -> dict[str, str]:
    """The values as text of this language."""
    return {name: value(language) if isinstance(value, Sentence) else value for name, value in values.items()}


NOTICES: dict[str, Sentence] = {
    "alarm": Sentence(
        de="{charge_point}, Anschluss {connector}: Um {ordered} wurde der Ladestopp (0 A) angeordnet, es fließt "
        "aber weiter Strom: {measured}. {evidence}",
        en="{charge_point}, connector {connector}: a stop (0 A) was ordered at {ordered}, but current goes on "
        "flowing: {measured}. {evidence}",
    ),
    "alarm_only": Sentence(
        de="{charge_point}, Anschluss {connector}: Um {ordered} wurde der Ladestopp (0 A) angeordnet, der Zähler "
        "meldet weiter: {measured}. {evidence} Es wird nicht eingegriffen; bitte selbst nachsehen.",
        en="{charge_point}, connector {connector}: a stop (0 A) was ordered at {ordered}, the meter goes on "
        "reporting: {measured}. {evidence} Nothing will be sent; please look for yourself.",
    ),
    "all_clear": Sentence(
        de="Entwarnung für {charge_point}, Anschluss {connector}: Es fließt kein Strom mehr ({measured}). "
        "Entgegen der Anordnung sind {energy} geflossen.",
        en="All clear for {charge_point}, connector {connector}: no current flows any more ({measured}). "
        "{energy} flowed against the order.",
    ),
    "unproven": Sentence(
        de="{charge_point}, Anschluss {connector}: Es kommen keine Messwerte mehr; dem Status nach hat das Laden "
        "aufgehört. Bewiesen ist das nicht. Entgegen der Anordnung sind {energy} geflossen.",
        en="{charge_point}, connector {connector}: no more readings; by its status it has stopped. That is not "
        "proven. {energy} flowed against the order.",
    ),
    "superseded": Sentence(
        de="{charge_point}, Anschluss {connector}: Der Stopp wurde nie befolgt; jetzt ist wieder {now_ordered} "
        "angeordnet. Entgegen der Anordnung sind {energy} geflossen.",
        en="{charge_point}, connector {connector}: the stop was never obeyed; the central system now orders "
        "{now_ordered}. {energy} flowed against the order.",
    ),
    "stood_down": Sentence(
        de="{charge_point}, Anschluss {connector}: Auf Anweisung wird bei diesem Stopp nicht weiter eingegriffen.",
        en="{charge_point}, connector {connector}: stood down as told; nothing more is done about this stop.",
    ),
    "step": Sentence(
        de="{charge_point}, Anschluss {connector}: {step}.",
        en="{charge_point}, connector {connector}: {step}.",
    ),
    "remote_start": Sentence(
        de="{charge_point}, Anschluss {connector}: Die Zentrale hat unseren Stopp sofort mit "
        "RemoteStartTransaction aufgehoben. Abhilfe: in evcc die Option remotestart ausschalten, oder den Schritt "
        "inoperative einschalten.",
        en="{charge_point}, connector {connector}: the central system undid our stop at once with "
        "RemoteStartTransaction. Remedy: switch off the option remotestart in evcc, or switch on the step inoperative.",
    ),
    "exhausted": Sentence(
        de="{charge_point}, Anschluss {connector}: Alle Schritte sind verbraucht und es fließt weiter Strom: "
        "{measured}. Bitte am Gerät trennen.",
        en="{charge_point}, connector {connector}: every step is used up and current goes on flowing: "
        "{measured}. Please disconnect at the device.",
    ),
    "reminder": Sentence(
        de="Erinnerung: {charge_point}, Anschluss {connector} lädt weiter gegen den Stopp von {ordered}: {measured}.",
        en="Reminder: {charge_point}, connector {connector} still charges against the stop of {ordered}: {measured}.",
    ),
    "by_hand": Sentence(
        de="Bitte von Hand stoppen: Es ist keine brauchbare Transaktionsnummer bekannt.",
        en="Please stop it by hand: no usable transaction id is known.",
    ),
    "after_stop": Sentence(
        de="Die Transaktion ist beendet: Das Fahrzeug lädt erst nach einem neuen Start weiter.",
        en="The transaction is over: the car stays empty until charging is started anew.",
    ),
    "danger": Sentence(
        de="{charge_point}: Gefahr! {action} ist hindurchgegangen; zu diesem Gerät ist bekannt ({fact}): {said}",
        en="{charge_point}: danger! {action} passed; known of this device ({fact}): {said}",
    ),
    "caution": Sentence(
        de="{charge_point}: {action} ist hindurchgegangen. Zu diesem Gerät ist bekannt ({fact}): {said}",
        en="{charge_point}: {action} passed. Known of this device ({fact}): {said}",
    ),
    "explained": Sentence(
        de="Zu diesem Gerät ist bekannt ({fact}): {said}",
        en="Known of this device ({fact}): {said}",
    ),
    "duplicate": Sentence(
        de="Die Kennung {charge_point} ist doppelt vergeben: {holder} ist verbunden, {newcomer} wurde abgewiesen.",
        en="The id {charge_point} is in use twice: {holder} is connected, {newcomer} was turned away.",
    ),
    "unanswered": Sentence(
        de="{charge_point}: Eine Nachricht wurde eine Minute lang nicht beantwortet. Die Verbindung bleibt bestehen.",
        en="{charge_point}: a message was left unanswered for a minute. The connection is left alone.",
    ),
    "still_open": Sentence(
        de="Der Wächter ist neu gestartet. {charge_point}: Der Alarm von vorher ist noch offen.",
        en="The watchdog was started again. {charge_point}: the alarm from before is still open.",
    ),
    "undelivered": Sentence(
        de="Eine Meldung kam über {way} nicht an ({reason}). `ocpp-watchdog notify-test` prüft alle Wege.",
        en="A message did not arrive by {way} ({reason}). `ocpp-watchdog notify-test` tries every way.",
    ),
    "test_alarm": Sentence(
        de="Testalarm: So käme eine Warnung des Wächters an. Es ist nichts geschehen.",
        en="Test alarm: this is how a warning of the watchdog would reach you. Nothing has happened.",
    ),
    "degraded": Sentence(
        de="Der Wächter ist eingeschränkt: {parts} ist gestört. Der Verkehr läuft weiter, ein Urteil kann aber "
        "fehlen. Näheres im Protokoll.",
        en="The watchdog is degraded: {parts} is failing. Traffic goes on, but a verdict may be missing. The log "
        "says more.",
    ),
}

EVIDENCE: dict[str, Sentence] = {
    "hidden": Sentence(
        de="Strom und Leistung stehen auf 0, aber der Zähler zählt weiter: dem Zähler wird geglaubt.",
        en="Current and power read 0, but the register goes on counting: the register is believed.",
    ),
    "flowing": Sentence(
        de="Der Energiezähler steigt, wie es zu diesem Strom gehört.",
        en="The energy register rises as this current says it must.",
    ),
    "live": Sentence(
        de="Die Stromwerte leben.",
        en="The current readings are alive.",
    ),
    "frozen": Sentence(
        de="Die Messwerte ändern sich nicht; sie können veraltet sein.",
        en="The readings do not change; they may be stale.",
    ),
    "contradicted": Sentence(
        de="Der Energiezähler steigt dafür zu wenig; die Messwerte können veraltet sein.",
        en="The energy register rises too little for that; the readings may be stale.",
    ),
    "undecided": Sentence(
        de="Der Energiezähler gibt noch nichts Sicheres her.",
        en="The energy register does not say anything certain yet.",
    ),
    "slight": Sentence(
        de="Es kann der Leerlaufstrom des Fahrzeugs sein.",
        en="It may be the idle current of the vehicle.",
    ),
}

STEP_NAMES: dict[str, Sentence] = {
    "repeat_limit": Sentence(de="Die Wiederholung der letzten Anordnung", en="The last order, repeated,"),
    "tx_profile": Sentence(
        de="Ein TxProfile für Transaktion {transaction}", en="A TxProfile of transaction {transaction}"
    ),
    "remote_stop": Sentence(
        de="RemoteStopTransaction für Transaktion {transaction}",
        en="RemoteStopTransaction of transaction {transaction}",
    ),
    "inoperative": Sentence(
        de="Die Außerbetriebnahme des Anschlusses", en="The order to take the connector out of service"
    ),
    "soft_reset": Sentence(de="Ein Neustart der Wallbox (Reset Soft)", en="A restart of the wallbox (Reset Soft)"),
    "external": Sentence(de="Der Anruf beim eigenen Schalter", en="The call to the owner's switch"),
}

STEPS: dict[str, Sentence] = {
    "waiting": Sentence(
        de="{name} wartet auf eine freie Leitung",
        en="{name} waits for its turn",
    ),
    "sent": Sentence(
        de="{name} ist gesendet",
        en="{name} is sent",
    ),
    "accepted": Sentence(
        de="{name} ist angenommen; das allein beweist nichts",
        en="{name} is accepted; that alone proves nothing",
    ),
    "refused": Sentence(
        de="{name} ist abgelehnt",
        en="{name} is refused",
    ),
    "unanswered": Sentence(
        de="{name} blieb ohne Antwort",
        en="{name} was left unanswered",
    ),
    "not_sent": Sentence(
        de="{name} konnte nicht gesendet werden",
        en="{name} could not be sent",
    ),
    "proved": Sentence(
        de="{name} hat gewirkt: die Messung beweist es",
        en="{name} worked: the measurement proves it",
    ),
    "not_proved": Sentence(
        de="{name} ist angenommen, hat aber nicht gewirkt",
        en="{name} was accepted and did not work",
    ),
    "skipped": Sentence(
        de="{name} ist übersprungen ({why})",
        en="{name} is skipped ({why})",
    ),
    "cancelled": Sentence(
        de="{name} ist zurückgezogen ({why})",
        en="{name} is withdrawn ({why})",
    ),
    "would_send": Sentence(
        de="{name} wäre jetzt gesendet worden (nur beobachten)",
        en="{name} would have been sent now (observe only)",
    ),
}

PHASES: dict[str, Sentence] = {
    "unknown": Sentence(
        de="noch nichts angeordnet",
        en="nothing ordered yet",
    ),
    "stood_down": Sentence(
        de="auf Anweisung außer Acht",
        en="stood down",
    ),
    "exhausted": Sentence(
        de="alle Schritte verbraucht",
        en="every step used up",
    ),
    "remedying": Sentence(
        de="greift ein",
        en="remedy under way",
    ),
    "violating": Sentence(
        de="Anordnung verletzt",
        en="order violated",
    ),
    "blind": Sentence(
        de="keine Messwerte",
        en="no readings",
    ),
    "settling": Sentence(
        de="Frist läuft",
        en="settling",
    ),
    "suspect": Sentence(
        de="verdächtig",
        en="suspect",
    ),
    "obeying": Sentence(
        de="befolgt",
        en="obeying",
    ),
}

FINDINGS: dict[str, Sentence] = {
    "raise_not_followed": Sentence(
        de="folgt der Erhöhung nicht",
        en="does not follow the raise",
    ),
    "under_delivery": Sentence(
        de="liefert weniger als erlaubt",
        en="delivers less than allowed",
    ),
    "over_limit": Sentence(
        de="lädt über dem Limit",
        en="charges above the limit",
    ),
    "stale_meter": Sentence(
        de="Messwerte sind veraltet",
        en="readings are stale",
    ),
    "contradiction": Sentence(
        de="Strom, Leistung und Zähler widersprechen sich",
        en="current, power and register disagree",
    ),
    "control_frozen": Sentence(
        de="reagiert auf keine Anordnung",
        en="reacts to no order",
    ),
    "phase_violation": Sentence(
        de="lädt auf mehr Phasen als angeordnet",
        en="charges on more phases than ordered",
    ),
    "charging_without_transaction": Sentence(
        de="lädt ohne Transaktion",
        en="charges without a transaction",
    ),
    "stop_refused": Sentence(
        de="hat den Stopp abgelehnt",
        en="refused the stop",
    ),
    "stop_unanswered": Sentence(
        de="hat den Stopp nicht beantwortet",
        en="left the stop unanswered",
    ),
    "clock_skew": Sentence(
        de="Uhr geht falsch",
        en="clock is wrong",
    ),
    "out_of_sight": Sentence(
        de="nicht verbunden",
        en="not connected",
    ),
}

DEMO: dict[str, Sentence] = {
    "title": Sentence(
        de="Der Fall vom 1. Oktober 2025, nachgespielt mit {speed}-facher Geschwindigkeit; Uhrzeit des Spiels.",
        en="The case of 1 October 2025, played again at {speed} times the speed; times are those of the play.",
    ),
    "fault": Sentence(de="Wallbox: {fault} ({summary})", en="Wallbox: {fault} ({summary})"),
    "line": Sentence(
        de="Weg: Wallbox -> {proxy} (dieses Programm) -> {central} (anstelle von evcc)",
        en="Way: wallbox -> {proxy} (this program) -> {central} (in the place of evcc)",
    ),
    "who.wallbox": Sentence(de="Wallbox", en="wallbox"),
    "who.evcc": Sentence(de="evcc", en="evcc"),
    "who.meter": Sentence(de="Zähler", en="meter"),
    "who.watchdog": Sentence(de="Wächter", en="watchdog"),
    "central_system.limit_ordered": Sentence(
        de="ordnet {amperes} A an; Antwort: {outcome}", en="orders {amperes} A; the answer is {outcome}"
    ),
    "central_system.limit_ordered.stop": Sentence(
        de="ordnet den Stopp an: 0 A; Antwort: {outcome}", en="orders the stop: 0 A; the answer is {outcome}"
    ),
    "central_system.out_of_sync": Sentence(
        de="bemerkt einen Widerspruch: erwartet {expected}, gemeldet {got}",
        en="sees a contradiction: expected {expected}, got {got}",
    ),
    "central_system.disconnected": Sentence(de="hat die Verbindung verloren", en="has lost the connection"),
    "charge_point.connected": Sentence(de="verbindet sich", en="connects"),
    "charge_point.plugged_in": Sentence(de="Fahrzeug eingesteckt", en="a car is plugged in"),
    "charge_point.status_reported": Sentence(de="meldet Status {status}", en="reports status {status}"),
    "charge_point.transaction_started": Sentence(
        de="beginnt Transaktion {transaction_id}", en="begins transaction {transaction_id}"
    ),
    "charge_point.transaction_stopped": Sentence(
        de="beendet Transaktion {transaction_id}, Grund: {reason}",
        en="ends transaction {transaction_id}, reason: {reason}",
    ),
    "charge_point.current_changed": Sentence(
        de="in Wahrheit fließen jetzt {amperes} A", en="in truth {amperes} A flow now"
    ),
    "charge_point.stop_ignored": Sentence(
        de="nimmt den Stopp an und lädt mit {amperes} A weiter", en="accepts the stop and charges on with {amperes} A"
    ),
    "charge_point.profile_rejected": Sentence(de="lehnt die Anordnung ab", en="rejects the order"),
    "charge_point.remote_stop_ignored": Sentence(
        de="nimmt RemoteStopTransaction an und lädt weiter", en="accepts RemoteStopTransaction and charges on"
    ),
    "charge_point.connection_dropped": Sentence(de="lässt die Verbindung fallen", en="drops the connection"),
    "charge_point.rebooted": Sentence(de="startet neu", en="reboots"),
    "watchdog.phase": Sentence(de="Lage: {phase}", en="phase: {phase}"),
    "watchdog.settling": Sentence(
        de="Lage: {phase}; bis {until} muss der Stopp zu sehen sein", en="phase: {phase}; the stop must show by {until}"
    ),
    "watchdog.question": Sentence(
        de="fragt nach frischen Messwerten (TriggerMessage)", en="asks for fresh readings (TriggerMessage)"
    ),
    "meter.says": Sentence(de="{measured}; evcc zeigt {believed} W", en="{measured}; evcc shows {believed} W"),
    "verdict.stopped": Sentence(
        de="Ergebnis: Der Stopp wurde ignoriert, der Wächter hat ihn durchgesetzt. Es fließen {amperes} A.",
        en="Result: the stop was ignored, and the watchdog made it happen. {amperes} A flow now.",
    ),
    "verdict.obeyed": Sentence(
        de="Ergebnis: Die Wallbox hat den Stopp befolgt, der Wächter hat nichts getan. Es fließen {amperes} A.",
        en="Result: the wallbox obeyed the stop, and the watchdog did nothing. {amperes} A flow now.",
    ),
    "verdict.unproven": Sentence(
        de="Ergebnis: Es fließen {amperes} A, aber die Messwerte der Wallbox beweisen es nicht.",
        en="Result: {amperes} A flow now, but the readings of the wallbox do not prove it.",
    ),
    "verdict.flows": Sentence(
        de="Ergebnis: Der Stopp hat nicht gewirkt. Es fließen immer noch {amperes} A.",
        en="Result: the stop did not work. {amperes} A still flow.",
    ),
    "verdict.no_set_up": Sentence(
        de="Ergebnis: evcc kommt mit dieser Wallbox nicht in Gang; es wurde nie geladen. Es fließen {amperes} A.",
        en="Result: evcc never gets going with this wallbox; nothing was ever charged. {amperes} A flow now.",
    ),
    "energy": Sentence(
        de="Gegen die Anordnung geflossen: {energy}", en="Energy that flowed against the order: {energy}"
    ),
    "after": Sentence(
        de="Der Stopp, der wirkte, ging um {when} hinaus: {seconds} s nach der Anordnung",
        en="The stop that worked went out at {when}: {seconds} s after the order",
    ),
    "metrics": Sentence(de="Auf {url} steht dazu:", en="On {url} it reads:"),
    "report": Sentence(de="Der Bericht dazu: {path}", en="The report about it: {path}"),
    "stays": Sentence(de="Die Bühne bleibt offen; Strg-C beendet.", en="The stage stays open; Ctrl-C ends it."),
}
