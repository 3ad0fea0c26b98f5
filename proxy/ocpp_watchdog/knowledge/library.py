"""The device files that come with the program, read once."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from ocpp_watchdog.knowledge.facts import DeviceFile
from ocpp_watchdog.knowledge.matcher import Known, match


@cache
def shipped() -> tuple[DeviceFile, ...]:
    """Every device file, in the order of their names. Raises ValueError when one is broken (a test reads them all)."""
    folder = files(__package__).joinpath("devices")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name)
    return tuple(DeviceFile.model_validate_json(entry.read_text("utf-8")) for entry in found)


@lru_cache(maxsize=256)
def recognise(vendor: str, model: str, firmware: str) -> Known:
    """What is known of the device that says this of itself; ``Known()`` when nothing is."""
    return match(shipped(), vendor, model, firmware)
