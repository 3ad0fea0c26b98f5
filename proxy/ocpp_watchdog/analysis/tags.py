"""A report is handed around, so no id tag stands in it; the journal has them (DESIGN 10)."""

from __future__ import annotations

from dataclasses import replace

from ocpp_watchdog.report.model import Station
from ocpp_watchdog.texts.wording import masked


def without_tags(station: Station) -> Station:
    """The same with stars in the place of id tags."""
    commands = tuple(
        replace(command, text=masked(command.text), answer_text=masked(command.answer_text))
        for command in station.commands
    )
    connectors = tuple(
        replace(connector, orders=tuple(replace(order, text=masked(order.text)) for order in connector.orders))
        for connector in station.connectors
    )
    return replace(station, commands=commands, connectors=connectors)
