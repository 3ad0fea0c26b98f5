"""What the demo tells."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

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
    "central_system.out_of_sync.charges": Sentence(
        de="bemerkt einen Widerspruch: Laden ist gesperrt, die Wallbox meldet, dass sie lädt",
        en="sees a contradiction: charging is off, and the wallbox reports that it charges",
    ),
    "central_system.out_of_sync.rests": Sentence(
        de="bemerkt einen Widerspruch: Laden ist freigegeben, die Wallbox meldet, dass sie nicht lädt",
        en="sees a contradiction: charging is on, and the wallbox reports that it does not charge",
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
    "watchdog.schedule": Sentence(
        de="fragt, welchen Ladeplan die Wallbox für gültig hält (GetCompositeSchedule)",
        en="asks which schedule the wallbox believes to be in force (GetCompositeSchedule)",
    ),
    "watchdog.schedule_zero": Sentence(
        de="die Wallbox kennt den Stopp: ihr Ladeplan sagt 0 A, und doch floss Strom",
        en="the wallbox knows of the stop: its schedule says 0 A, and yet current flowed",
    ),
    "watchdog.schedule_other": Sentence(
        de="der Ladeplan der Wallbox erlaubt Strom: ein anderes Ladeprofil steht über dem Stopp",
        en="the schedule of the wallbox allows current: another charging profile stands above the stop",
    ),
    "watchdog.schedule_silent": Sentence(
        de="die Wallbox sagt nicht, welchen Ladeplan sie für gültig hält",
        en="the wallbox does not say which schedule it believes to be in force",
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

FAULT_SUMMARIES: dict[str, Sentence] = {
    "none": Sentence(de="befolgt jede Anordnung", en="obeys every order"),
    "ignores-zero": Sentence(
        de="der wirkliche Fall: 0 A wird angenommen und missachtet, etwa 6,5 A fließen weiter; RemoteStop wird befolgt",
        en="the field case: 0 A is accepted and ignored, about 6.5 A flow on; RemoteStop is obeyed",
    ),
    "ignores-zero-only": Sentence(
        de="6 bis 16 A werden befolgt, 0 A wird angenommen und missachtet",
        en="6 to 16 A are obeyed, 0 A is accepted and ignored",
    ),
    "obeys-late": Sentence(de="gehorcht, aber erst 20 s nach der Anordnung", en="obeys, but only 20 s after the order"),
    "frozen-meter": Sentence(
        de="befolgt 0 A, wiederholt aber Ziffer für Ziffer die letzten Messwerte, Zählerstand eingeschlossen",
        en="obeys 0 A, but repeats its last readings digit for digit, register included",
    ),
    "hidden-flow": Sentence(
        de="missachtet 0 A und meldet Strom und Leistung null; nur der Zählerstand zeigt, was fließt",
        en="ignores 0 A and reports zero current and power; only the register shows what flows",
    ),
    "silent-while-suspended": Sentence(
        de="gehorcht und schickt in der Pause keine Messwerte", en="obeys, and sends no meter values while suspended"
    ),
    "silent-ignores": Sentence(
        de="missachtet 0 A, meldet SuspendedEVSE und schickt keine Messwerte",
        en="ignores 0 A, says SuspendedEVSE and sends no meter values",
    ),
    "remote-stop-ignored": Sentence(
        de="missachtet 0 A; nimmt RemoteStopTransaction an und lädt weiter",
        en="ignores 0 A; accepts RemoteStopTransaction and goes on",
    ),
    "remote-stop-refused": Sentence(
        de="missachtet 0 A; antwortet auf RemoteStopTransaction mit Rejected",
        en="ignores 0 A; answers RemoteStopTransaction with Rejected",
    ),
    "stops-transaction-keeps-flowing": Sentence(
        de="missachtet 0 A; beendet auf RemoteStopTransaction die Transaktion, nicht den Strom",
        en="ignores 0 A; on RemoteStopTransaction stops the transaction, not the current",
    ),
    "profile-refused": Sentence(
        de="antwortet auf SetChargingProfile mit Rejected; es fließt Strom",
        en="answers SetChargingProfile with Rejected; current flows",
    ),
    "profile-unanswered": Sentence(
        de="antwortet nie auf SetChargingProfile; es fließt Strom", en="never answers SetChargingProfile; current flows"
    ),
    "wrong-clock": Sentence(
        de="ihre Uhr geht 2 Minuten nach: ein Ladeplan hat noch nicht begonnen, wenn er ankommt",
        en="its clock is 2 minutes behind: a schedule has not begun when it arrives",
    ),
    "power-tenth": Sentence(
        de="missachtet 0 A; meldet ein Zehntel der Leistung und 0 V; die Ströme stimmen",
        en="ignores 0 A; reports a tenth of the power and 0 V; the currents are right",
    ),
    "invalid-json": Sentence(
        de="missachtet 0 A; ihre Messwerte sind beim Laden ungültiges JSON",
        en="ignores 0 A; its meter values are invalid JSON while charging",
    ),
    "drops-at-stop": Sentence(
        de="lässt bei 0 A die Verbindung fallen, kommt wieder und lädt weiter",
        en="drops the connection when 0 A arrives, comes back, charges on",
    ),
    "reboots-at-stop": Sentence(
        de="nimmt 0 A an, startet neu, hat das Limit vergessen und lädt weiter",
        en="accepts 0 A, reboots, has forgotten its limit and charges on",
    ),
    "slow-answers": Sentence(
        de="missachtet 0 A und braucht für jede Antwort 5 s", en="ignores 0 A and takes 5 s for each answer"
    ),
    "two-connectors": Sentence(
        de="zwei Anschlüsse: der erste gehorcht, der zweite missachtet 0 A",
        en="two connectors: the first obeys, the second ignores 0 A",
    ),
    "mute-to-questions": Sentence(
        de="missachtet 0 A; antwortet nie auf ChangeAvailability, GetConfiguration oder TriggerMessage",
        en="ignores 0 A; never answers ChangeAvailability, GetConfiguration or TriggerMessage",
    ),
    "actec": Sentence(
        de="eine AcTEC EV-AC22K: stumm auf Fragen, eine Form von Profilen, missachtet 0, seltsame Leistung und Zeiten",
        en="an AcTEC EV-AC22K: mute to questions, one shape of profiles, ignores 0, odd power and times",
    ),
}
"""How the simulated wallbox misbehaves, by the name of the fault."""
