"""Every sentence of a report and of ``analyze``, German and English. A test holds both to the same placeholders."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

OUTCOMES: dict[str, Sentence] = {
    "obeyed": Sentence(de="befolgt", en="obeyed"),
    "violated": Sentence(de="VERLETZT", en="VIOLATED"),
    "not_followed": Sentence(de="Erhöhung nicht gefolgt", en="raise not followed"),
    "doubtful": Sentence(de="zweifelhaft", en="doubtful"),
    "undetermined": Sentence(de="unbestimmt", en="undetermined"),
}

WHYS: dict[str, Sentence] = {
    "replaced_early": Sentence(
        de="schon nach {observed} durch eine andere Anordnung ersetzt", en="replaced by another order after {observed}"
    ),
    "log_ends": Sentence(de="nur {observed} lang beobachtet", en="observed for {observed} only"),
    "no_readings": Sentence(
        de="in {observed} kam kein Messwert, der zählt", en="no reading that counts came in {observed}"
    ),
    "by_status_only": Sentence(
        de="nur der Status ({status}) spricht dafür, kein Messwert beweist es",
        en="only the status ({status}) says so, no reading proves it",
    ),
    "nothing_plugged_in": Sentence(
        de="kein Fahrzeug angeschlossen: es gab nichts zu befolgen", en="no car plugged in: there was nothing to obey"
    ),
    "refused": Sentence(de="die Wallbox hat abgelehnt ({answer})", en="the charge point refused ({answer})"),
    "unanswered": Sentence(de="keine Antwort im Protokoll", en="no answer in the log"),
    "not_in_force": Sentence(
        de="angenommen, aber ein anderes Profil geht vor", en="accepted, but another profile prevails"
    ),
    "unconfirmed": Sentence(
        de="der letzte Messwert lag darüber; ein einziger beweist nichts",
        en="the last reading was above it; a single one proves nothing",
    ),
    "weak_evidence": Sentence(
        de="es wird Strom gemeldet, aber die Messwerte beweisen nicht, dass er fließt",
        en="current is reported, but the readings do not prove that it flows",
    ),
    "stale_meter": Sentence(de="die Messwerte können veraltet sein", en="the readings may be stale"),
    "cause_vehicle": Sentence(
        de="die Wallbox bietet den Strom an, das Fahrzeug nimmt ihn nicht",
        en="the charge point offers the current, the car does not take it",
    ),
    "cause_charge_point": Sentence(
        de="die Wallbox bietet weiter nur den alten Strom an", en="the charge point goes on offering the old current"
    ),
    "cause_unknown": Sentence(
        de="ob Fahrzeug oder Wallbox, ist offen", en="whether car or charge point is undetermined"
    ),
    "perhaps_a_mistake": Sentence(
        de="0 W kann ein Rechenfehler der Zentrale gewesen sein", en="0 W may have been a mistake of the central system"
    ),
}

CAVEATS: dict[str, Sentence] = {
    "whole_seconds": Sentence(
        de="Das Protokoll kennt nur ganze Sekunden: Zeiten und Antwortzeiten stimmen auf eine Sekunde.",
        en="The log knows whole seconds only: times and answer times are right to one second.",
    ),
    "zone_unknown": Sentence(
        de="In keiner Nachricht steht eine Uhrzeit: die Zeiten des Protokolls sind als UTC gelesen.",
        en="No frame carries a time: the times of the log are read as UTC.",
    ),
    "holes": Sentence(
        de="Lücken oder Sprünge im Protokoll: {count}; was darin angeordnet wurde, ist unbekannt.",
        en="Holes or jumps in the log: {count}; what was ordered in them is not known.",
    ),
    "cut_frames": Sentence(
        de="Im Protokoll abgeschnittene Nachrichten: {count}.",
        en="Frames that are cut off in the log: {count}.",
    ),
    "unreadable_order": Sentence(
        de="Abgeschnittene Nachrichten, deren Limit nicht mehr zu lesen ist: {count}; danach beginnt das Urteil neu.",
        en="Frames cut off so that their limit cannot be read: {count}; the judge begins anew behind them.",
    ),
    "unplaced_lines": Sentence(
        de="Zeilen mit einer Nachricht, die sich nicht zuordnen lässt: {count}.",
        en="Lines with a frame that cannot be placed: {count}.",
    ),
    "untimed": Sentence(
        de="Nachrichten ohne Zeit im Protokoll: {count}; Fristen lassen sich daran nicht messen.",
        en="Frames without a time in the log: {count}; no deadline can be measured by them.",
    ),
    "repaired": Sentence(
        de="Nachrichten, die der Proxy auf Wunsch repariert hat: {count}; Befehle stehen hier, wie sie angeordnet "
        "wurden, Messwerte, wie sie weitergereicht wurden.",
        en="Frames that the proxy repaired as told: {count}; commands stand here as they were ordered, readings as "
        "they were passed on.",
    ),
    "undecodable": Sentence(
        de="Nachrichten, die kein lesbares OCPP-J sind: {count}.",
        en="Frames that are not readable as OCPP-J: {count}.",
    ),
    "answers_missing": Sentence(
        de="Anordnungen ohne Antwort im Protokoll: {count}.",
        en="Orders without an answer in the log: {count}.",
    ),
    "no_readings_at_all": Sentence(
        de="Es gibt keinen einzigen Messwert: ob Strom floss, ist unbekannt.",
        en="There is not a single reading: whether current flowed is not known.",
    ),
    "no_orders": Sentence(
        de="Es wurde kein Limit angeordnet: es gibt nichts zu beurteilen.",
        en="No limit was ordered: there is nothing to judge.",
    ),
    "no_register": Sentence(
        de="Kein Energiezähler: Wattstunden sind aus der Leistung gerechnet, und Ströme lassen sich nicht gegenprüfen.",
        en="No energy register: watt-hours are computed from power, and currents cannot be checked against it.",
    ),
    "clock_skew": Sentence(
        de="Die Uhr der Wallbox geht um {count} Sekunden falsch.",
        en="The charge point's clock is wrong by {count} seconds.",
    ),
    "left_out": Sentence(
        de="Nur gezählt und nicht gezeigt: {count}.",
        en="Counted and not shown: {count}.",
    ),
    "own_meter": Sentence(
        de="Alles beruht auf dem Zähler der Wallbox selbst. Ein Zähler ohne Register, der immer dieselben ganzen "
        "Ampere meldet, wird beim Status Charging geglaubt.",
        en="All of this rests on the charge point's own meter. A meter without register that repeats whole amperes for "
        "ever is believed while the status is Charging.",
    ),
    "not_certified": Sentence(
        de="Dies ist keine geprüfte Schutzeinrichtung und kein Gutachten: Es zeigt, was in den Nachrichten steht.",
        en="This is no certified protective device and no expert opinion: it shows what the frames say.",
    ),
    "redacted": Sentence(
        de="Kennungen, Seriennummern, Adressen und freie Texte sind unkenntlich gemacht; die Nachrichten sind deshalb "
        "nicht mehr Byte für Byte die der Leitung.",
        en="Ids, serial numbers, addresses and free texts are made unrecognisable; the frames are therefore no longer "
        "those of the wire to the byte.",
    ),
}

CAUSES: dict[str, Sentence] = {
    "hidden_profile": Sentence(
        de="ein verborgenes Profil auf höherer Stufe oder ein TxProfile, das mehr erlaubt (mit GetCompositeSchedule "
        "und ClearChargingProfile prüfen)",
        en="a hidden profile at a higher level, or a TxProfile that allows more (check with GetCompositeSchedule and "
        "ClearChargingProfile)",
    ),
    "default_at_start": Sentence(
        de="TxDefaultProfile wird nur beim Start der Transaktion angewandt (mit TxProfile prüfen)",
        en="TxDefaultProfile is applied at the start of a transaction only (check with a TxProfile)",
    ),
    "clock_behind": Sentence(
        de="die Uhr der Wallbox geht mehr als 60 s nach, das Profil beginnt für sie erst später",
        en="the clock of the charge point is behind by more than 60 s, so that the profile begins later for it",
    ),
    "missing_keys": Sentence(
        de="fehlende Konfigurationsschlüssel: die Zentrale schickt Profil 0 auf Stufe 0",
        en="missing configuration keys: the central system sends profile id 0 at stack level 0",
    ),
    "local_limiter": Sentence(
        de="eine örtliche Begrenzung (Ersatzstrom) bestimmt den Strom, die Befehle werden übergangen",
        en="a local limiter (fallback current) sets the current and the commands are ignored",
    ),
}

ENDINGS: dict[str, Sentence] = {
    "obeyed": Sentence(de="danach floss kein Strom mehr", en="then no current flowed any more"),
    "silent": Sentence(
        de="danach kamen keine Messwerte mehr; bewiesen ist das Ende nicht",
        en="then no readings came any more; its end is not proven",
    ),
    "superseded": Sentence(
        de="nie befolgt; dann wurde wieder Strom angeordnet", en="never obeyed; then current was ordered again"
    ),
    "stood_down": Sentence(de="auf Anweisung beendet", en="ended as told"),
    "": Sentence(de="am Ende der Aufzeichnung noch offen", en="still open where the record ends"),
}

REPORT: dict[str, Sentence] = {
    "title": Sentence(de="Befolgt die Wallbox ihre Anordnungen?", en="Does the charge point obey its orders?"),
    "made_by": Sentence(de="Bericht von ocpp-watchdog {version}", en="Report of ocpp-watchdog {version}"),
    "period": Sentence(de="Zeitraum: {begin} bis {end} ({zone})", en="Period: {begin} to {end} ({zone})"),
    "source": Sentence(
        de="Quelle: {name} ({form}, {lines} Zeilen, {frames} Nachrichten)",
        en="Source: {name} ({form}, {lines} lines, {frames} frames)",
    ),
    "device": Sentence(de="Gerät: {device}", en="Device: {device}"),
    "device_unknown": Sentence(
        de="Gerät: unbekannt (keine BootNotification im Zeitraum)",
        en="Device: unknown (no BootNotification in this period)",
    ),
    "station": Sentence(de="Wallbox {charge_point}", en="Charge point {charge_point}"),
    "unnamed": Sentence(de="(ohne Kennung)", en="(no id)"),
    "connector": Sentence(de="Anschluss {connector}", en="Connector {connector}"),
    "result": Sentence(de="Ergebnis", en="Result"),
    "result_violated": Sentence(
        de="Anordnungen wurden verletzt: {count} von {total}.", en="Orders were violated: {count} of {total}."
    ),
    "result_clean": Sentence(
        de="Keine Anordnung wurde nachweislich verletzt ({total} angeordnet, {obeyed} nachweislich befolgt).",
        en="No order was shown to be violated ({total} ordered, {obeyed} shown to be obeyed).",
    ),
    "result_nothing": Sentence(
        de="Es wurde nichts angeordnet: es gibt nichts zu beurteilen.",
        en="Nothing was ordered: there is nothing to judge.",
    ),
    "worked": Sentence(de="Was funktioniert hat", en="What worked"),
    "failed": Sentence(de="Was nicht funktioniert hat", en="What failed"),
    "undetermined": Sentence(de="Was unbestimmt bleibt, und warum", en="What is undetermined, and why"),
    "nothing": Sentence(de="nichts", en="nothing"),
    "chart": Sentence(de="Angeordnet gegen gemessen", en="Commanded against measured"),
    "chart_commanded": Sentence(de="angeordnet", en="commanded"),
    "chart_measured": Sentence(de="gemessen {phase}", en="measured {phase}"),
    "chart_power": Sentence(de="aus der Leistung (÷ 690 V)", en="from power (÷ 690 V)"),
    "chart_ignored": Sentence(de="Anordnung verletzt", en="order violated"),
    "timeline": Sentence(de="Befehle der Reihe nach", en="Commands in order"),
    "orders": Sentence(de="Anordnungen und Urteil", en="Orders and verdicts"),
    "time": Sentence(de="Zeit", en="Time"),
    "command": Sentence(de="Befehl", en="Command"),
    "answer": Sentence(de="Antwort", en="Answer"),
    "no_answer": Sentence(de="keine", en="none"),
    "answer_after": Sentence(de="{answer} nach {delay}", en="{answer} after {delay}"),
    "within_second": Sentence(de="unter 1 s", en="less than 1 s"),
    "order": Sentence(de="Anordnung", en="Order"),
    "verdict": Sentence(de="Urteil", en="Verdict"),
    "evidence": Sentence(de="Beleg", en="Evidence"),
    "readings_after": Sentence(de="Messwerte danach", en="Readings after it"),
    "readings_more": Sentence(de="… ({count} weitere)", en="… ({count} more)"),
    "no_readings": Sentence(de="keine", en="none"),
    "repeats": Sentence(de="{count} Mal angeordnet", en="ordered {count} times"),
    "by_schedule": Sentence(de="durch den Zeitplan eines Profils", en="by the schedule of a profile"),
    "ours": Sentence(de="vom Wächter gesendet", en="sent by the watchdog"),
    "danger": Sentence(de="Vorsicht: {text}", en="Take care: {text}"),
    "exact": Sentence(de="Wortlaut auf der Leitung", en="Exactly as on the wire"),
    "stop_ignored": Sentence(
        de="Der Stopp wurde angeordnet und nicht befolgt: {after} nach der Anordnung bewiesen. {evidence} {ending}.",
        en="The stop was ordered and not obeyed: proven {after} after the order. {evidence} {ending}.",
    ),
    "stop_doubtful": Sentence(
        de="Nach dem Stopp wird weiter Strom gemeldet ({after} danach), aber: {evidence} {ending}.",
        en="After the stop current is still reported ({after} later), but: {evidence} {ending}.",
    ),
    "deadline": Sentence(
        de="Bis {until} galt noch das Limit davor (Antwort und Frist).",
        en="Until {until} the limit before it still counted (answer and settle time).",
    ),
    "over_limit": Sentence(
        de="Mehr als erlaubt: {measured}, erstmals {after} nach der Anordnung festgestellt.",
        en="More than allowed: {measured}, first found {after} after the order.",
    ),
    "phase_violation": Sentence(
        de="Auf mehr Phasen geladen als angeordnet.", en="Charged on more phases than ordered."
    ),
    "obeyed_evidence": Sentence(
        de="Messwerte: {count}, zuletzt {measured}.", en="Readings: {count}, the last {measured}."
    ),
    "not_followed_evidence": Sentence(
        de="{after} danach noch {measured}: {why}.", en="Still {measured} {after} later: {why}."
    ),
    "control_frozen": Sentence(
        de="Die Steuerung ist eingefroren: auf keine der letzten Anordnungen hat sich der Strom geändert.",
        en="The control is frozen: the current answered none of the last orders.",
    ),
    "finding": Sentence(de="Befund: {finding} ({after} danach)", en="Finding: {finding} ({after} later)"),
    "energy": Sentence(de="Entgegen der Anordnung geflossen: {energy}{how}", en="Flowed against orders: {energy}{how}"),
    "integrated": Sentence(de=" (aus der Leistung gerechnet)", en=" (computed from power)"),
    "believed": Sentence(
        de="evcc zeigte {after} nach der Anordnung {watts} W, während die Messwerte {measured} sagten.",
        en="evcc showed {watts} W {after} after the order while the readings said {measured}.",
    ),
    "step": Sentence(de="{after} danach: {step}", en="{after} later: {step}"),
    "causes": Sentence(
        de="Mögliche Ursachen, in dieser Reihenfolge zu prüfen", en="Possible causes, to be tested in this order"
    ),
    "facts": Sentence(de="Was über dieses Gerät bekannt ist", en="What is known about this device"),
    "no_facts": Sentence(de="Über dieses Gerät ist nichts hinterlegt.", en="Nothing is on record about this device."),
    "advice": Sentence(de="Rat: {advice}", en="Advice: {advice}"),
    "fact_source": Sentence(de="Quelle: {source}", en="source: {source}"),
    "caveats": Sentence(de="Grenzen dieses Berichts", en="Limits of this report"),
    "left_out": Sentence(de="{count} weitere: {outcome}", en="{count} more: {outcome}"),
    "settings": Sentence(de="Einstellungen", en="Settings"),
    "form_trace": Sentence(de="Open OCPP Trace", en="Open OCPP Trace"),
    "form_evcc": Sentence(de="evcc-Protokoll", en="evcc log"),
    "form_library": Sentence(de="Protokoll von Home Assistant oder ocpp", en="log of Home Assistant or ocpp"),
    "form_plain": Sentence(de="anderes Protokoll", en="other log"),
    "form_journal": Sentence(de="Journal des Wächters", en="journal of the watchdog"),
    "form_": Sentence(de="nicht erkannt", en="not recognised"),
    "now": Sentence(de="sofort", en="at once"),
}

ANALYZE: dict[str, Sentence] = {
    "head": Sentence(
        de="{station}: {frames} Nachrichten in {duration}, {orders} Anordnungen",
        en="{station}: {frames} frames in {duration}, {orders} orders",
    ),
    "line": Sentence(de="  {when}  {label}  {outcome}: {evidence}", en="  {when}  {label}  {outcome}: {evidence}"),
    "count": Sentence(de="  {outcome}: {count}", en="  {outcome}: {count}"),
    "count_why": Sentence(de="  {outcome}: {count} ({why})", en="  {outcome}: {count} ({why})"),
    "more": Sentence(de="  ... und {count} weitere", en="  ... and {count} more"),
    "caveat": Sentence(de="  Hinweis: {text}", en="  note: {text}"),
    "written": Sentence(de="Bericht: {path}", en="Report: {path}"),
    "not_recognised": Sentence(
        de="{name}: nicht erkannt. Gesucht wurden: Zeilen von evcc ([ocpp ] TRACE ... recv ID: [2,...]), von Home "
        'Assistant oder ocpp (... ID: receive message [2,...]), Open OCPP Trace (JSON mit "raw"), sonst Zeit, send '
        "oder recv, Nachricht. {first}",
        en="{name}: not recognised. Looked for: lines of evcc ([ocpp ] TRACE ... recv ID: [2,...]), of Home Assistant "
        'or ocpp (... ID: receive message [2,...]), Open OCPP Trace (JSON with "raw"), else time, send or recv, '
        "frame. {first}",
    ),
    "first_line": Sentence(
        de="Erste Zeile, die sich nicht zuordnen ließ ({number}): {text}",
        en="First line that could not be placed ({number}): {text}",
    ),
    "empty": Sentence(de="Die Datei ist leer.", en="The file is empty."),
    "no_such_charge_point": Sentence(
        de="keine Nachricht von {wanted}; im Protokoll stehen: {found}",
        en="no frame of {wanted}; the log holds: {found}",
    ),
    "progress": Sentence(de="{done} MB, {frames} Nachrichten", en="{done} MB, {frames} frames"),
}

NO_HISTORY: dict[str, Sentence] = {
    "no_frames": Sentence(
        de="keine Nachrichten in {folder} für diese Zeit und diesen Ladepunkt",
        en="no frames in {folder} for this time and charge point",
    ),
    "unreadable": Sentence(de="{folder}: {why}", en="{folder}: {why}"),
    "off": Sentence(
        de="journal: ist abgeschaltet, also wurde nichts aufgezeichnet",
        en="journal: it is off, so nothing was recorded",
    ),
    "nothing_yet": Sentence(
        de="in {folder} wurde noch nichts aufgezeichnet; der Proxy muss mit diesen Einstellungen laufen",
        en="nothing was recorded yet in {folder}; the proxy has to run with these settings",
    ),
    "no_database": Sentence(de="journal: an {place} ist keins", en="journal: there is none at {place}"),
    "database": Sentence(de="journal: {why}", en="journal: {why}"),
    "no_episode": Sentence(
        de="journal: die Episode {number} gibt es nicht", en="journal: there is no episode {number}"
    ),
}

BUNDLE: dict[str, Sentence] = {
    "readme": Sentence(
        de="Dieses Bündel hat ocpp-watchdog zum Weitergeben gemacht. report.html ist der Bericht (auch als .md und "
        ".json), frames.jsonl die Nachrichten als Open OCPP Trace, settings.txt und versions.txt, was wie lief. "
        "Kennungen, Seriennummern, Adressen, Passwörter, Namen und alle freien Texte sind entfernt oder durch "
        "Platzhalter ersetzt; Hersteller, Modell und Firmware sind genannt. Bitte trotzdem selbst hineinsehen, bevor "
        "Sie es weitergeben.",
        en="This bundle was made by ocpp-watchdog to be handed on. report.html is the report (also as .md and .json), "
        "frames.jsonl the frames as Open OCPP Trace, settings.txt and versions.txt what ran and how. "
        "Ids, serial numbers, addresses, passwords, names and all free text are removed or replaced by placeholders; "
        "vendor, model and firmware are named. Please look for yourself all the same before you hand it on.",
    ),
}
