"""Names of what Home Assistant shows of a charge point."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

ENTITIES: dict[str, Sentence] = {
    "ordered": Sentence(de="Angeordneter Strom", en="Ordered current"),
    "current_l1": Sentence(de="Strom L1", en="Current L1"),
    "current_l2": Sentence(de="Strom L2", en="Current L2"),
    "current_l3": Sentence(de="Strom L3", en="Current L3"),
    "current": Sentence(de="Höchster Strom", en="Highest current"),
    "power": Sentence(de="Leistung", en="Power"),
    "phase": Sentence(de="Urteil", en="Verdict"),
    "stop_ignored": Sentence(de="Ladestopp ignoriert", en="Stop ignored"),
    "findings": Sentence(de="Befunde", en="Findings"),
    "energy_against_orders": Sentence(de="Energie entgegen der Anordnung", en="Energy against orders"),
    "connected": Sentence(de="Verbunden", en="Connected"),
    "event": Sentence(de="Ereignis", en="Event"),
    "stand_down": Sentence(de="Außer Acht lassen", en="Stand down"),
    "stop_now": Sentence(de="Jetzt stoppen", en="Stop now"),
    "test_alarm": Sentence(de="Testalarm", en="Test alarm"),
    "maintenance": Sentence(de="Wartung", en="Maintenance"),
}

OF_CONNECTOR = Sentence(de="{name} (Anschluss {connector})", en="{name} (connector {connector})")
"""Where a charge point has more than one."""
