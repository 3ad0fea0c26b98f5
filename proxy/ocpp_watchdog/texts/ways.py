"""What goes out to people beside the sentence of a notice: titles, and what ``notify-test`` prints."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

TITLES: dict[str, Sentence] = {
    "alarm": Sentence(de="Alarm: {charge_point} ignoriert den Ladestopp", en="Alarm: {charge_point} ignores the stop"),
    "all_clear": Sentence(de="Entwarnung: {charge_point}", en="All clear: {charge_point}"),
    "unproven": Sentence(de="Geschlossen, unbewiesen: {charge_point}", en="Closed, not proven: {charge_point}"),
    "superseded": Sentence(de="Überholt: {charge_point}", en="Superseded: {charge_point}"),
    "stood_down": Sentence(de="Außer Acht gelassen: {charge_point}", en="Stood down: {charge_point}"),
    "step": Sentence(de="Eingriff: {charge_point}", en="Step taken: {charge_point}"),
    "remote_start": Sentence(de="Stopp aufgehoben: {charge_point}", en="Stop undone: {charge_point}"),
    "exhausted": Sentence(
        de="Bitte am Gerät trennen: {charge_point}", en="Please disconnect at the device: {charge_point}"
    ),
    "reminder": Sentence(de="Erinnerung: {charge_point} lädt weiter", en="Reminder: {charge_point} still charges"),
    "duplicate": Sentence(de="Kennung doppelt: {charge_point}", en="Id in use twice: {charge_point}"),
    "unanswered": Sentence(de="Keine Antwort: {charge_point}", en="No answer: {charge_point}"),
    "still_open": Sentence(de="Noch offen: {charge_point}", en="Still open: {charge_point}"),
    "danger": Sentence(de="Gefährlicher Befehl: {charge_point}", en="Dangerous command: {charge_point}"),
    "degraded": Sentence(de="Der Wächter ist eingeschränkt", en="The watchdog is degraded"),
    "undelivered": Sentence(de="Eine Meldung kam nicht an", en="A message did not arrive"),
    "test_alarm": Sentence(de="Testalarm", en="Test alarm"),
}

USUAL_TITLE = Sentence(de="Wächter: {charge_point}", en="Watchdog: {charge_point}")
"""Of a kind that has none of its own."""

TRIALS: dict[str, Sentence] = {
    "delivered": Sentence(de="{way}: angenommen", en="{way}: taken"),
    "failed": Sentence(de="{way}: NICHT angenommen ({reason})", en="{way}: NOT taken ({reason})"),
    "look": Sentence(
        de="Angenommen heißt: Der Server hat es. Bitte nachsehen, ob es auch ankam.",
        en="Taken means: the server has it. Please look whether it arrived.",
    ),
    "none": Sentence(
        de="Kein Weg ist eingerichtet: webhook.url, ntfy.url, apprise.urls oder mqtt.url setzen.",
        en="No way is configured: set webhook.url, ntfy.url, apprise.urls or mqtt.url.",
    ),
}
