"""What is said to the owner: what became of an order, why a request was turned away, and what ``ctl`` prints."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Language, Sentence
from ocpp_watchdog.texts.selftest import OBSTACLES
from ocpp_watchdog.texts.wording import NOTHING, clock_time, place

ORDERS: dict[str, Sentence] = {
    "stand_down": Sentence(
        de="{where}: Bei diesem Stopp wird nicht weiter eingegriffen, der nächste wird wieder beurteilt.",
        en="{where}: stood down; nothing more is done about this stop, the next one is judged again.",
    ),
    "stop_now": Sentence(
        de="{where}: RemoteStopTransaction ist auf dem Weg. Ob es wirkt, zeigt nur die Messung.",
        en="{where}: RemoteStopTransaction is on its way. Only a measurement shows whether it works.",
    ),
    "acknowledge": Sentence(
        de="{where}: zur Kenntnis genommen; es wird nicht mehr erinnert.",
        en="{where}: acknowledged; there will be no more reminders.",
    ),
    "set_back": Sentence(
        de="{where}: ChangeAvailability Operative ist auf dem Weg.",
        en="{where}: ChangeAvailability Operative is on its way.",
    ),
    "on_its_way": Sentence(
        de="{where}: Eine solche Nachricht ist schon unterwegs.",
        en="{where}: such a message is on its way already.",
    ),
    "maintenance": Sentence(
        de="{where}: Wartung bis {until}; bis dahin wird nichts gesendet.",
        en="{where}: maintenance until {until}; nothing is sent until then.",
    ),
    "maintenance_over": Sentence(
        de="{where}: Die Wartung ist beendet.",
        en="{where}: maintenance is over.",
    ),
    "test_alarm": Sentence(
        de="Ein Testalarm geht über jeden eingerichteten Weg hinaus.",
        en="A test alarm goes out by every way that is configured.",
    ),
    "selftest": Sentence(
        de="{where}: Der Selbsttest läuft.",
        en="{where}: the self-test is under way.",
    ),
    "selftest_abort": Sentence(
        de="{where}: Der Selbsttest wird abgebrochen; das Limit von evcc wird wiederhergestellt.",
        en="{where}: the self-test is broken off; evcc's limit is put back.",
    ),
    "no_test": Sentence(
        de="{where}: Hier läuft kein Selbsttest.",
        en="{where}: no self-test is under way here.",
    ),
    "not_connected": Sentence(
        de="{where}: nicht verbunden.",
        en="{where}: not connected.",
    ),
    "unknown_charge_point": Sentence(
        de="Einen Ladepunkt {where} gibt es hier nicht; er war noch nie verbunden.",
        en="There is no charge point {where} here; it never connected.",
    ),
    "unknown_connector": Sentence(
        de="{where}: Diesen Anschluss gibt es nicht.",
        en="{where}: there is no such connector.",
    ),
    "no_transaction": Sentence(
        de="{where}: Es ist keine brauchbare Transaktionsnummer bekannt. Bitte am Gerät stoppen.",
        en="{where}: no usable transaction id is known. Please stop it at the device.",
    ),
    "too_soon": Sentence(
        de="{where}: Ein Stopp ist schon unterwegs, oder der letzte ist noch keine 30 s her.",
        en="{where}: a stop is on its way already, or the last one is less than 30 s ago.",
    ),
    "no_episode": Sentence(
        de="{where}: Es ist kein missachteter Stopp offen.",
        en="{where}: no ignored stop is open.",
    ),
    "bad_minutes": Sentence(
        de="Die Minuten müssen zwischen 0 und 1440 liegen.",
        en="The minutes must be between 0 and 1440.",
    ),
    "failed": Sentence(
        de="{where}: Das ging im Wächter schief; Näheres in seinem Protokoll. Der Verkehr läuft weiter.",
        en="{where}: this failed in the watchdog; its log says more. Traffic goes on.",
    ),
}

CTL: dict[str, Sentence] = {
    "status": Sentence(
        de="{where}: {phase}; angeordnet {ordered}, gemessen {measured}; Status {status}",
        en="{where}: {phase}; ordered {ordered}, measured {measured}; status {status}",
    ),
    "ignored": Sentence(de="Stopp missachtet seit {since}", en="stop ignored since {since}"),
    "inoperative": Sentence(
        de="vom Wächter außer Betrieb genommen (zurück: ctl set-back)",
        en="taken out of service by the watchdog (back: ctl set-back)",
    ),
    "away": Sentence(de="nicht verbunden", en="not connected"),
    "paused": Sentence(de="Wartung bis {until}", en="maintenance until {until}"),
    "nothing": Sentence(
        de="Es war noch kein Ladepunkt verbunden.",
        en="No charge point has connected yet.",
    ),
    "which": Sentence(
        de="Welcher? Bitte mit {flags} nennen:",
        en="Which one? Please name it with {flags}:",
    ),
    "no_such": Sentence(de="Das gibt es nicht: {where}. Bekannt sind:", en="There is no {where}. Known are:"),
    "unreachable": Sentence(
        de="An {address} ist der Wächter nicht zu erreichen ({why}). Läuft er, und stimmt admin.listen?",
        en="The watchdog cannot be reached at {address} ({why}). Does it run, and is admin.listen right?",
    ),
    "stranger": Sentence(
        de="An {address} antwortet etwas anderes als der Wächter.",
        en="Something other than the watchdog answers at {address}.",
    ),
    "password": Sentence(
        de="Es fehlt das richtige Passwort: admin.password in der Datei oder OCPP_WATCHDOG_ADMIN__PASSWORD.",
        en="A password is needed: admin.password in the file or OCPP_WATCHDOG_ADMIN__PASSWORD.",
    ),
}
"""What ``ctl`` says of its own."""

REQUESTS: dict[str, Sentence] = {
    "host": Sentence(de="Unter diesem Namen wird hier nichts angeboten.", en="This name is not served here."),
    "password": Sentence(de="Es fehlt das richtige Passwort.", en="A password is needed."),
    "address": Sentence(de="Von dieser Adresse wird niemand eingelassen.", en="Nobody is let in from this address."),
    "too_many": Sentence(
        de="Zu viele falsche Passwörter von dieser Adresse; in einer Minute geht es wieder.",
        en="Too many wrong passwords from this address; try again in a minute.",
    ),
    "origin": Sentence(
        de="Die Anfrage kommt von einer fremden Seite.",
        en="The request comes from a foreign page.",
    ),
    "content_type": Sentence(
        de="Der Inhalt muss application/json sein.",
        en="The content type must be application/json.",
    ),
    "too_large": Sentence(de="Der Inhalt ist zu groß.", en="The body is too large."),
    "too_slow": Sentence(de="Der Inhalt kam zu langsam.", en="The body came too slowly."),
    "not_json": Sentence(
        de="Der Inhalt muss ein JSON-Objekt sein, das nur die beschriebenen Felder enthält.",
        en="The body must be a JSON object with no fields but those described.",
    ),
    "bad_connector": Sentence(
        de="Der Anschluss muss eine Zahl von 0 bis 9999 sein.",
        en="The connector must be a number from 0 to 9999.",
    ),
    "bad_limit": Sentence(
        de="limit muss eine Zahl von 1 bis 1000 sein.",
        en="limit must be a number from 1 to 1000.",
    ),
    "not_found": Sentence(de="Das gibt es hier nicht.", en="There is no such thing here."),
    "method": Sentence(de="So geht das hier nicht.", en="This method is not possible here."),
    "broken": Sentence(
        de="Die Antwort konnte nicht erstellt werden; Näheres im Protokoll.",
        en="The answer could not be made; the log says more.",
    ),
}


def order_text(key: str, charge_point: str, connector: int | None, until: float | None, language: Language) -> str:
    """The sentence about one order of the owner. key: of ``ORDERS`` or ``OBSTACLES``; until: POSIX seconds."""
    shown = NOTHING if until is None else clock_time(until)
    return (ORDERS | OBSTACLES)[key](language, where=place(charge_point, connector, language), until=shown)


def obstacle_text(key: str, charge_point: str, connector: int, language: Language) -> str:
    """Why no self-test can begin."""
    named = f"{SELFTEST}{key}"
    return order_text(named if named in OBSTACLES else key, charge_point, connector, None, language)


SELFTEST = "selftest."
"""Stands before the obstacles of a self-test among the keys."""
