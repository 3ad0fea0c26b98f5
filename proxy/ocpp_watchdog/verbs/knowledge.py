"""The verb ``knowledge``."""

from __future__ import annotations

import json

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ocpp_watchdog import device_sheet
from ocpp_watchdog.knowledge import library
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.verbs.base import Verb, say


class Knowledge(Verb):
    """Print what is known about a device; without a name, which devices are known."""

    vendor: CliPositionalArg[str] = Field(default="", description="as its BootNotification says")
    model: CliPositionalArg[str] = Field(default="", description="as its BootNotification says")
    firmware: CliPositionalArg[str] = Field(default="", description="its firmware; left out: unknown")
    as_json: bool = Field(default=False, alias="json", description="for a program")
    language: Language = Field(default=Language.EN, description="de or en")

    def cli_cmd(self) -> None:
        """A list, or all there is about one device."""
        files = library.shipped()
        if not self.vendor:
            lines = device_sheet.listing(files, self.language)
            values: object = device_sheet.file_values(files)
        else:
            known = library.recognise(self.vendor, self.model, self.firmware)
            lines = device_sheet.sheet(known, self.vendor, self.model, self.language)
            values = device_sheet.as_values(known)
        say(json.dumps(values, ensure_ascii=False, indent=2) if self.as_json else "\n".join(lines))
