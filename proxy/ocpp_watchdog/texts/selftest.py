"""What the self-test says: before it begins, about each part, and at the end."""

from __future__ import annotations

from ocpp_watchdog.core.exercise import Found, Part, PartReport, SelfTestView
from ocpp_watchdog.texts.catalogue import EVIDENCE, Language, Sentence
from ocpp_watchdog.texts.wording import NOTHING, number, place

PLAN: dict[str, Sentence] = {
    "intro": Sentence(
        de="{where}: Das geht nacheinander an den Ladepunkt, und jedes Mal wird gewartet, was die Messwerte zeigen:",
        en="{where}: this goes to the charge point, one after the other, each time waiting for what the readings show:",
    ),
    "limit": Sentence(
        de="Limit {amperes} A (SetChargingProfile)",
        en="a limit of {amperes} A (SetChargingProfile)",
    ),
    "restore": Sentence(
        de="wieder das Limit von evcc (SetChargingProfile); warten, bis Strom fließt",
        en="evcc's own limit again (SetChargingProfile); wait until current flows",
    ),
    "remote_stop": Sentence(
        de="die Transaktion beenden (RemoteStopTransaction)",
        en="end the transaction (RemoteStopTransaction)",
    ),
    "remote_start": Sentence(
        de="eine neue beginnen, mit derselben Kennung (RemoteStartTransaction)",
        en="begin a new one with the same id tag (RemoteStartTransaction)",
    ),
    "no_start": Sentence(
        de="Die Kennung der Transaktion ist nicht bekannt: Danach muss am Gerät neu gestartet werden.",
        en="The id tag of the transaction is not known: afterwards charging must be started anew at the device.",
    ),
    "care": Sentence(
        de="Das dauert zwei bis acht Minuten. Mehr als evcc gerade erlaubt wird nie angeordnet, und das Limit von "
        "evcc wird am Ende wiederhergestellt, auch bei Abbruch. Bleiben Sie dabei; Strg-C bricht ab.",
        en="It takes two to eight minutes. Never more is ordered than evcc allows now, and evcc's limit is put back "
        "at the end, also when it is broken off. Stay there; Ctrl-C breaks it off.",
    ),
    "ask": Sentence(de="Beginnen? [j/N] ", en="Begin? [y/N] "),
    "no_answer": Sentence(
        de="Nicht begonnen. Ohne Rückfrage: --yes.",
        en="Not begun. Without being asked: --yes.",
    ),
}

OBSTACLES: dict[str, Sentence] = {
    "selftest.running": Sentence(
        de="{where}: An diesem Ladepunkt läuft schon ein Test, oder er stellt noch das Limit wieder her.",
        en="{where}: a test is under way at this charge point already, or it still puts the limit back.",
    ),
    "selftest.episode": Sentence(
        de="{where}: Hier wird gerade ein Stopp missachtet; das geht vor.",
        en="{where}: a stop is being ignored right now; that comes first.",
    ),
    "selftest.no_transaction": Sentence(
        de="{where}: Es läuft keine Transaktion mit brauchbarer Nummer. Laden Sie erst ein Fahrzeug.",
        en="{where}: no transaction with a usable id is running. Charge a car first.",
    ),
    "selftest.shared_id": Sentence(
        de="{where}: An einem anderen Anschluss läuft eine Transaktion mit derselben Nummer; der Stopp könnte die "
        "treffen.",
        en="{where}: a transaction with the same id runs at another connector; the stop might end that one.",
    ),
    "selftest.no_profile": Sentence(
        de="{where}: evcc hat noch kein Limit angeordnet, das sich verändern ließe.",
        en="{where}: evcc has not ordered a limit yet that could be varied.",
    ),
    "selftest.whole_charge_point": Sentence(
        de="{where}: evcc ordnet für den ganzen Ladepunkt an; das träfe auch die anderen Anschlüsse.",
        en="{where}: evcc orders for the whole charge point; that would concern the other connectors too.",
    ),
    "selftest.stop_ordered": Sentence(
        de="{where}: evcc hat 0 A angeordnet. Lassen Sie evcc erst laden.",
        en="{where}: evcc has ordered 0 A. Let evcc charge first.",
    ),
    "selftest.no_current": Sentence(
        de="{where}: Nach den Messwerten fließt kein Strom (oder es kommen keine); so wäre nichts zu sehen.",
        en="{where}: by the readings no current flows (or none come); nothing could be seen that way.",
    ),
}
"""Why it does not begin, beside what is said of every order."""

RESULTS: dict[str, Sentence] = {
    "followed": Sentence(
        de="{what}: befolgt nach {seconds} s{seen}",
        en="{what}: followed after {seconds} s{seen}",
    ),
    "nothing_to_see": Sentence(
        de="{what}: nichts zu sehen, mehr floss schon vorher nicht{seen}",
        en="{what}: nothing to see, no more than that flowed before{seen}",
    ),
    "remote_stop.unseen": Sentence(
        de="{what}: Die Transaktion endete nach {seconds} s; es kam kein Messwert mehr, dem Status nach ist es zu Ende",
        en="{what}: the transaction ended after {seconds} s; no reading came any more, by its status it has stopped",
    ),
    "restore.nothing_to_see": Sentence(
        de="{what}: nichts zu sehen, der Strom war nie weg",
        en="{what}: nothing to see, the current had never gone",
    ),
    "ignored": Sentence(
        de="{what}: MISSACHTET, nach {seconds} s{seen}",
        en="{what}: IGNORED, after {seconds} s{seen}",
    ),
    "restore.ignored": Sentence(
        de="{what}: es fließt noch kein Strom; vielleicht ist das Fahrzeug voll oder schläft",
        en="{what}: no current flows yet; the car may be full, or asleep",
    ),
    "remote_start.ignored": Sentence(
        de="{what}: es begann keine Transaktion. Bitte am Gerät starten.",
        en="{what}: no transaction began. Please start it at the device.",
    ),
    "refused": Sentence(de="{what}: abgelehnt", en="{what}: refused"),
    "remote_start.refused": Sentence(
        de="{what}: abgelehnt. Bitte am Gerät starten oder neu einstecken.",
        en="{what}: refused. Please start it at the device, or plug in anew.",
    ),
    "stale": Sentence(
        de="{what}: nicht zu sagen, die Messwerte leben nicht{seen}",
        en="{what}: cannot be said, the readings are not alive{seen}",
    ),
    "silent": Sentence(
        de="{what}: nicht zu sagen, es kamen keine Messwerte",
        en="{what}: cannot be said, no readings came",
    ),
    "transaction_only": Sentence(
        de="{what}: Die Transaktion ist zu Ende, der Strom nicht{seen}",
        en="{what}: the transaction is over, the current is not{seen}",
    ),
    "unproven": Sentence(
        de="{what}: Die Transaktion ist nach {seconds} s zu Ende, aber die nächste begann vor dem ersten Messwert",
        en="{what}: the transaction is over after {seconds} s, but the next one began before any reading",
    ),
    "by_itself": Sentence(de="{what}: geschah von selbst", en="{what}: happened by itself"),
    "restore.by_itself": Sentence(
        de="{what}: evcc hat es selbst wieder angeordnet",
        en="{what}: evcc has ordered it again itself",
    ),
    "remote_start.by_itself": Sentence(
        de="{what}: nicht nötig, eine neue Transaktion begann von selbst",
        en="{what}: not needed, a new transaction began by itself",
    ),
    "overruled": Sentence(
        de="{what}: nicht entschieden, evcc hat sein Limit erneut angeordnet{seen}",
        en="{what}: not decided, evcc ordered its own limit again{seen}",
    ),
    "not_sent": Sentence(
        de="{what}: nicht gesendet, die Leitung war nie frei",
        en="{what}: not sent, the channel was never free",
    ),
    "restore.skipped": Sentence(
        de="{what}: nicht nötig, nichts von uns wurde angenommen",
        en="{what}: not needed, nothing of ours was taken",
    ),
    "skipped": Sentence(
        de="{what}: ausgelassen, die Transaktion ist nicht beendet",
        en="{what}: left out, the transaction was not ended",
    ),
    "broken_off": Sentence(de="{what}: abgebrochen", en="{what}: broken off"),
}
"""What a part showed; one with the part's name before the dot comes first."""

WORDS: dict[str, Sentence] = {
    "restore": Sentence(de="Limit von evcc", en="evcc's limit"),
    "remote_stop": Sentence(de="RemoteStopTransaction", en="RemoteStopTransaction"),
    "remote_start": Sentence(de="RemoteStartTransaction", en="RemoteStartTransaction"),
    "flowing": Sentence(de=" ({amperes} A)", en=" ({amperes} A)"),
    "unanswered": Sentence(de="; nie beantwortet", en="; never answered"),
}

ENDS: dict[str, Sentence] = {
    "owner": Sentence(de="Abgebrochen.", en="Broken off."),
    "unwatched": Sentence(
        de="Abgebrochen: Es hat niemand mehr zugesehen.",
        en="Broken off: nobody was watching any more.",
    ),
    "disconnected": Sentence(
        de="Abgebrochen: Die Verbindung ging verloren.",
        en="Broken off: the connection was lost.",
    ),
    "central_system": Sentence(
        de="Abgebrochen: evcc hat etwas anderes angeordnet.",
        en="Broken off: evcc ordered something else.",
    ),
    "transaction_over": Sentence(
        de="Abgebrochen: Die Transaktion endete von selbst.",
        en="Broken off: the transaction ended by itself.",
    ),
    "not_restored": Sentence(
        de="DAS LIMIT VON EVCC KONNTE NICHT WIEDERHERGESTELLT WERDEN. Bitte in evcc neu anordnen (Modus wechseln).",
        en="EVCC'S LIMIT COULD NOT BE PUT BACK. Please order it anew in evcc (change the mode).",
    ),
    "obeys": Sentence(de="0 A wird befolgt.", en="0 A is obeyed."),
    "ignores": Sentence(de="0 A wird MISSACHTET.", en="0 A is IGNORED."),
    "refuses": Sentence(de="0 A wird ABGELEHNT.", en="0 A is REFUSED."),
    "zero_unknown": Sentence(
        de="Ob 0 A befolgt wird, hat sich nicht gezeigt.",
        en="Whether 0 A is obeyed was not shown.",
    ),
    "remedy": Sentence(
        de="Die Abhilfe ist da: RemoteStopTransaction beendet das Laden.",
        en="The remedy is there: RemoteStopTransaction ends the charging.",
    ),
    "no_remedy": Sentence(
        de="Die Abhilfe fehlt: RemoteStopTransaction beendet das Laden NICHT. Hier hilft nur das Gerät selbst.",
        en="The remedy is NOT there: RemoteStopTransaction does not end the charging. Only the device itself helps.",
    ),
    "remedy_unknown": Sentence(
        de="Ob die Abhilfe da ist, hat sich nicht gezeigt.",
        en="Whether the remedy is there was not shown.",
    ),
}

HAS_NO_REMEDY = frozenset({Found.IGNORED, Found.REFUSED, Found.TRANSACTION_ONLY})


def plan_lines(parts: tuple[PartReport, ...], where: tuple[str, int], language: Language) -> list[str]:
    """What will be done, before it is. where: charge point and connector."""
    steps = [
        f"  {count}. " + PLAN[part.part](language, amperes=_amperes(part.amperes, language))
        for count, part in enumerate(parts, 1)
    ]
    can_start = any(part.part is Part.REMOTE_START for part in parts)
    more = [] if can_start else [PLAN["no_start"](language)]
    return [PLAN["intro"](language, where=place(*where, language)), *steps, *more, PLAN["care"](language)]


def part_line(report: PartReport, language: Language) -> str:
    """What a part showed; empty while it is not decided."""
    if report.found is None:
        return ""
    seen, is_unseen = report.amperes_seen, report.found is Found.FOLLOWED and report.amperes_seen is None
    sentence = RESULTS.get(f"{report.part}.{'unseen' if is_unseen else report.found}") or RESULTS[report.found]
    line = sentence(
        language,
        what=_amperes(report.amperes, language) + " A" if report.part is Part.LIMIT else WORDS[report.part](language),
        seconds=NOTHING if report.seconds is None else number(report.seconds, 0, language),
        seen="" if seen is None else WORDS["flowing"](language, amperes=number(seen, 1, language)),
    )
    line += WORDS["unanswered"](language) if report.answer == "unanswered" else ""
    return line if report.evidence is None else f"{line}. {EVIDENCE[report.evidence](language)}"


def end_lines(seen: SelfTestView, language: Language) -> list[str]:
    """The upshot; empty while it goes on."""
    if not seen.is_over or seen.end is None:
        return []
    why = [ENDS[seen.end](language)] if seen.end in ENDS else []
    lost = [ENDS["not_restored"](language)] if seen.restored is False else []
    return [*why, ENDS[_zero(seen)](language), ENDS[remedy(seen)](language), *lost]


def remedy(seen: SelfTestView) -> str:
    """``remedy``, ``no_remedy`` or ``remedy_unknown``: does RemoteStopTransaction help?"""
    found = next((part.found for part in seen.parts if part.part is Part.REMOTE_STOP), None)
    if found in (Found.FOLLOWED, Found.UNPROVEN):
        return "remedy"
    return "no_remedy" if found in HAS_NO_REMEDY else "remedy_unknown"


def _zero(seen: SelfTestView) -> str:
    found = next((part.found for part in seen.parts if part.amperes == 0.0), None)
    if found is Found.FOLLOWED:
        return "obeys"
    if found is Found.REFUSED:
        return "refuses"
    return "ignores" if found is Found.IGNORED else "zero_unknown"


def _amperes(amperes: float | None, language: Language) -> str:
    return NOTHING if amperes is None else number(amperes, 0, language)
