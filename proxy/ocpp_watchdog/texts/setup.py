"""What init, doctor and healthcheck say."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

DOCTOR: dict[str, Sentence] = {
    "running": Sentence(de="Der Proxy läuft ({address}).", en="The proxy is running ({address})."),
    "not_running": Sentence(
        de="Der Proxy läuft nicht, oder nicht mit diesen Einstellungen ({address}). Was nur er weiß, bleibt ungeprüft. "
        "Starten: ocpp-watchdog run, oder systemctl start ocpp-watchdog.",
        en="The proxy is not running, or not with these settings ({address}). What only it knows is not checked. "
        "Start it: ocpp-watchdog run, or systemctl start ocpp-watchdog.",
    ),
    "judge_fails": Sentence(
        de="Der Proxy läuft, aber sein Urteil scheitert an jeder Nachricht. Das Protokoll sagt, woran; neu starten.",
        en="The proxy is running, but its judge fails on every message. The log says why; start it anew.",
    ),
    "no_password": Sentence(
        de="Der Proxy läuft, nimmt aber das Passwort nicht (admin.password). Was nur er weiß, bleibt ungeprüft.",
        en="The proxy is running but does not take the password (admin.password). What only it knows is not checked.",
    ),
    "degraded": Sentence(
        de="Etwas im Proxy versagt, Nachrichten laufen weiter: {count} Fehler gezählt. Das Protokoll sagt, was.",
        en="Something in the proxy is failing, frames go on: {count} faults counted. The log says what.",
    ),
    "port_free": Sentence(de="{address} ist frei ({name}).", en="{address} is free ({name})."),
    "port_taken": Sentence(
        de="{address} ist von einem anderen Programm belegt ({name}). Jenes beenden, oder {name} ändern. "
        "Wer es ist, zeigt: ss -ltnp",
        en="{address} is taken by another program ({name}). End that one, or change {name}. Who it is: ss -ltnp",
    ),
    "port_impossible": Sentence(
        de="An {address} kann nicht gelauscht werden: {why} ({name}).",
        en="Nothing can listen at {address}: {why} ({name}).",
    ),
    "central_good": Sentence(de="{url} antwortet mit ocpp1.6.", en="{url} answers with ocpp1.6."),
    "central_no_name": Sentence(
        de="Den Namen in {url} kennt hier niemand. Adresse als Zahlen eintragen (central_system), oder den Namen "
        "im Router oder in /etc/hosts einrichten.",
        en="Nobody here knows the name in {url}. Enter the address as numbers (central_system), or set the name up in "
        "the router or in /etc/hosts.",
    ),
    "central_nobody": Sentence(
        de="An {url} nimmt niemand ab. Läuft evcc, und ist dort ein OCPP-Ladepunkt eingerichtet? Erst dann öffnet es "
        "den Anschluss 8887. Andere Adresse: central_system.",
        en="Nobody answers at {url}. Is evcc running, and is an OCPP charger configured there? Only then it opens port "
        "8887. Another address: central_system.",
    ),
    "central_silent": Sentence(
        de="{url} nimmt ab, sagt aber nichts, oder eine Firewall verwirft die Pakete. Adresse und Firewall prüfen.",
        en="{url} takes the call and says nothing, or a firewall drops the packets. Check address and firewall.",
    ),
    "central_bad_certificate": Sentence(
        de="Das Zertifikat von {url} lässt sich nicht prüfen. Eigene Zertifizierungsstelle: central_system_tls.ca.",
        en="The certificate of {url} cannot be verified. An own certificate authority: central_system_tls.ca.",
    ),
    "central_not_ocpp": Sentence(
        de="An {url} antwortet etwas anderes als ein OCPP-1.6-Server. evcc hört auf ws://<Adresse>:8887, nicht auf den "
        "Anschluss seiner Seite (7070).",
        en="Something else than an OCPP 1.6 server answers at {url}. evcc listens at ws://<address>:8887, not at the "
        "port of its page (7070).",
    ),
    "central_refuses": Sentence(
        de="{url} verlangt ein Passwort. Ob das der Wallbox stimmt, weiß nur sie.",
        en="{url} wants a password. Whether the wallbox has the right one only the wallbox can tell.",
    ),
    "clock_set": Sentence(de="Die Uhr folgt einem Zeitserver.", en="The clock follows a time server."),
    "clock_unset": Sentence(
        de="Die Uhr dieser Maschine ist nicht gestellt; Zeiten in Meldungen und Berichten wären falsch. "
        "Einschalten: timedatectl set-ntp true",
        en="The clock of this machine is not set; times in messages and reports would be wrong. "
        "Switch it on: timedatectl set-ntp true",
    ),
    "clock_unknown": Sentence(
        de="Ob die Uhr gestellt ist, lässt sich hier nicht feststellen.",
        en="Whether the clock is set cannot be told here.",
    ),
    "journal_good": Sentence(de="In {path} kann geschrieben werden.", en="{path} can be written to."),
    "journal_bad": Sentence(
        de="In {path} kann nicht geschrieben werden: {why}. Ohne Journal weiß der Proxy nach einem Neustart nichts "
        "mehr. Rechte und Platz prüfen, oder journal und frames ändern.",
        en="{path} cannot be written to: {why}. Without a journal the proxy knows nothing after a restart. Check "
        "rights and space, or change journal and frames.",
    ),
    "journal_fails": Sentence(
        de="Das Journal kann nicht geschrieben werden. Das Protokoll sagt, warum; meist fehlen Platz oder Rechte. "
        "Es heilt von selbst, wenn der Grund weg ist.",
        en="The journal cannot be written. The log says why; mostly space or rights are missing. It heals by "
        "itself when the reason is gone.",
    ),
    "journal_off": Sentence(
        de="Es gibt kein Journal (journal: off). Nach einem Neustart weiß der Proxy nichts mehr.",
        en="There is no journal (journal: off). After a restart the proxy knows nothing.",
    ),
    "broker_good": Sentence(
        de="Der MQTT-Broker {address} lässt uns herein.", en="The MQTT broker {address} lets us in."
    ),
    "broker_unusable": Sentence(
        de="MQTT lässt sich mit diesen Einstellungen nicht verwenden: {why}.",
        en="MQTT cannot be used with these settings: {why}.",
    ),
    "broker_no_name": Sentence(
        de="Den Namen des MQTT-Brokers {address} kennt hier niemand. Adresse als Zahlen eintragen (mqtt.url).",
        en="Nobody here knows the name of the MQTT broker {address}. Enter its address as numbers (mqtt.url).",
    ),
    "broker_nobody": Sentence(
        de="An {address} nimmt kein MQTT-Broker ab. Läuft er, und hört er nicht nur auf seine eigene Maschine? Sonst "
        "mqtt.url ändern.",
        en="No MQTT broker answers at {address}. Is it running, and does it listen to others than its own machine? "
        "Else change mqtt.url.",
    ),
    "broker_silent": Sentence(
        de="An {address} antwortet kein MQTT-Broker: er hängt, oder eine Firewall verwirft die Pakete, oder er will "
        "TLS (mqtts:// in mqtt.url), oder es ist etwas anderes. Neu starten; Adresse prüfen.",
        en="No MQTT broker answers at {address}: it hangs, or a firewall drops the packets, or it wants TLS (mqtts:// "
        "in mqtt.url), or it is something else. Start it anew; check the address.",
    ),
    "broker_bad_certificate": Sentence(
        de="{address} spricht kein TLS, oder sein Zertifikat lässt sich nicht prüfen. Ohne TLS: mqtt:// statt mqtts:// "
        "in mqtt.url; eigene Zertifizierungsstelle: mqtt.ca.",
        en="{address} speaks no TLS, or its certificate cannot be verified. Without TLS: mqtt:// in place of mqtts:// "
        "in mqtt.url; an own certificate authority: mqtt.ca.",
    ),
    "broker_refuses": Sentence(
        de="Der MQTT-Broker {address} lässt uns nicht herein ({why}): mqtt.user und mqtt.password prüfen. In Home "
        "Assistant legt man dafür einen eigenen Benutzer an.",
        en="The MQTT broker {address} does not let us in ({why}): check mqtt.user and mqtt.password. In Home "
        "Assistant a user of its own is made for that.",
    ),
    "sent_away": Sentence(
        de="Eine Wallbox wählt und bekommt keine Verbindung ({reasons}). Das Protokoll des Proxys sagt, warum.",
        en="A wallbox dials and gets no connection ({reasons}). The proxy's log says why.",
    ),
    "nobody_dialled": Sentence(
        de="Noch keine Wallbox hat sich gemeldet. In der Wallbox eintragen: {line}",
        en="No wallbox has dialled yet. Enter in the wallbox: {line}",
    ),
    "never_seen": Sentence(
        de="{charge_point} steht in den Einstellungen und war noch nie da. In der Wallbox eintragen: {line}",
        en="{charge_point} is in the settings and was never seen. Enter in the wallbox: {line}",
    ),
    "connected": Sentence(de="{charge_point} ist verbunden.", en="{charge_point} is connected."),
    "not_connected": Sentence(
        de="{charge_point} war da und ist jetzt nicht verbunden. Strom und Netzwerk der Wallbox prüfen; manche wählen "
        "erst nach einem Neustart wieder.",
        en="{charge_point} was here and is not connected now. Check power and network of the wallbox; some dial again "
        "only after a restart.",
    ),
    "skewed": Sentence(
        de="Die Uhr von {charge_point} geht {seconds} s falsch. Das Urteil verkraftet es, evcc nicht immer: es fragt "
        "dann alle 2 s nach Messwerten. Zeitserver in der Wallbox eintragen.",
        en="The clock of {charge_point} is {seconds} s off. The judge copes, evcc not always: it then asks for "
        "readings every 2 s. Enter a time server in the wallbox.",
    ),
    "blind": Sentence(
        de="{charge_point}, Anschluss {connector}: seit mehreren Abständen keine Messwerte (zuletzt {last}). In der "
        "Wallbox MeterValueSampleInterval auf 10 und MeterValuesSampledData auf Current.Import stellen.",
        en="{charge_point}, connector {connector}: no readings for several intervals (last {last}). In the wallbox set "
        "MeterValueSampleInterval to 10 and MeterValuesSampledData to Current.Import.",
    ),
    "no_current": Sentence(
        de="{charge_point}, Anschluss {connector}: Die Messwerte nennen keinen Strom. Erkannt wird ein missachteter "
        "Stopp dann nur an Leistung oder Zähler. In der Wallbox MeterValuesSampledData um Current.Import ergänzen.",
        en="{charge_point}, connector {connector}: the readings name no current. An ignored stop is then seen by power "
        "or register only. In the wallbox add Current.Import to MeterValuesSampledData.",
    ),
    "readings": Sentence(
        de="{charge_point}, Anschluss {connector}: Messwerte mit Strom kommen an.",
        en="{charge_point}, connector {connector}: readings with current arrive.",
    ),
    "undelivered": Sentence(
        de="{count} Meldungen kamen nicht an. Adresse und Zugang prüfen, dann: ocpp-watchdog notify-test",
        en="{count} messages did not arrive. Check address and access, then: ocpp-watchdog notify-test",
    ),
    "delivered": Sentence(de="Meldungen kommen an ({count}).", en="Messages arrive ({count})."),
    "no_way": Sentence(
        de="Für Meldungen ist kein Weg eingerichtet. Ein missachteter Stopp steht dann nur im Protokoll des Programms "
        "und in den Metriken.",
        en="No way for messages is configured. An ignored stop then stands in the program's log and in the metrics "
        "alone.",
    ),
    "all_well": Sentence(de="Alles in Ordnung.", en="All is well."),
    "problems": Sentence(de="Probleme: {count}", en="Problems: {count}"),
}

MARKS: dict[str, Sentence] = {
    "good": Sentence(de="gut     ", en="good   "),
    "problem": Sentence(de="PROBLEM ", en="PROBLEM"),
    "unknown": Sentence(de="offen   ", en="unknown"),
}

INIT: dict[str, Sentence] = {
    "found": Sentence(de="evcc gefunden: {url}", en="evcc found: {url}"),
    "not_found": Sentence(de="evcc antwortet nicht an {tried}.", en="evcc does not answer at {tried}."),
    "ask_central": Sentence(
        de="Adresse von evcc, zum Beispiel ws://192.168.1.20:8887 [{default}]: ",
        en="Address of evcc, for example ws://192.168.1.20:8887 [{default}]: ",
    ),
    "ask_mode": Sentence(
        de="Bei missachtetem Stopp selbst eingreifen (enforce) oder erst nur zusehen (observe)? [{default}]: ",
        en="Act on an ignored stop (enforce), or only watch at first (observe)? [{default}]: ",
    ),
    "ask_webhook": Sentence(
        de="Adresse, die jeden Alarm als JSON bekommt (leer: keine): ",
        en="Address that gets each alarm as JSON (empty: none): ",
    ),
    "bad_answer": Sentence(de="So geht es nicht: {why}", en="That does not work: {why}"),
    "heading": Sentence(
        de="Von `ocpp-watchdog init` geschrieben. Alle Einstellungen: deploy/ocpp-watchdog.yaml in den Quellen.",
        en="Written by `ocpp-watchdog init`. Every setting there is: deploy/ocpp-watchdog.yaml in the sources.",
    ),
    "no_terminal": Sentence(
        de="Es gibt kein Terminal, an dem gefragt werden könnte. Ohne Fragen: --yes",
        en="There is no terminal to ask at. Without questions: --yes",
    ),
    "exists": Sentence(
        de="{path} gibt es schon. Überschreiben: --force", en="{path} is there already. To overwrite it: --force"
    ),
    "unwritable": Sentence(de="{path} kann nicht geschrieben werden: {why}", en="{path} cannot be written: {why}"),
    "written": Sentence(de="Geschrieben: {path}", en="Written: {path}"),
    "line": Sentence(
        de="In der Wallbox als OCPP-Server eintragen (die Kennung bleibt, wie sie ist):\n\n    {line}\n",
        en="Enter in the wallbox as its OCPP server (the id stays as it is):\n\n    {line}\n",
    ),
    "back": Sentence(
        de="Zurück: in der Wallbox wieder {line} eintragen. Mehr wurde nicht verändert.",
        en="To go back: enter {line} in the wallbox again. Nothing else was changed.",
    ),
    "down": Sentence(
        de="Solange der Proxy nicht läuft, erreicht die Wallbox evcc nicht. Was sie dann tut, bestimmt sie selbst: die "
        "meisten laden eine begonnene Ladung zu Ende und wählen immer wieder neu.",
        en="While the proxy is down the wallbox cannot reach evcc. What it does then is up to the wallbox: most finish "
        "a charge that has begun and dial again and again.",
    ),
    "next": Sentence(
        de="Als Nächstes: {start}, dann ocpp-watchdog doctor",
        en="Next: {start}, then ocpp-watchdog doctor",
    ),
}

HEALTH: dict[str, Sentence] = {
    "good": Sentence(de="Der Proxy läuft.", en="The proxy is running."),
    "bad": Sentence(
        de="Der Proxy läuft, aber sein Urteil scheitert an jeder Nachricht.",
        en="The proxy is running, but its judge fails on every message.",
    ),
    "gone": Sentence(de="An {address} antwortet kein Proxy.", en="No proxy answers at {address}."),
}
