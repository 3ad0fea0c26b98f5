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
    "shared_id": Sentence(
        de="Bitte von Hand stoppen: An einem anderen Anschluss läuft eine Transaktion mit derselben Nummer, ein Stopp "
        "könnte die treffen.",
        en="Please stop it by hand: a transaction with the same id runs at another connector, a stop might end that "
        "one.",
    ),
    "restarts": Sentence(
        de="Die Transaktion ist beendet: Ein neuer Start wird einmal versucht, sobald zwei Minuten lang wieder Strom "
        "angeordnet ist und das Kabel stecken bleibt.",
        en="The transaction is over: a new start is tried once, when current has been ordered again for two minutes "
        "and the cable stays plugged in.",
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
