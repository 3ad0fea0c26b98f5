"""The verbs ``init`` and ``doctor``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from pydantic import Field

from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.setup import doctor, first
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.setup import INIT
from ocpp_watchdog.verbs.base import ConfiguredVerb, Verb, leave, say


class Doctor(ConfiguredVerb):
    """Look for what is wrong and say what to do about it; exit 1 when there is something."""

    as_json: bool = Field(default=False, validation_alias="json", description="for a program")

    def cli_cmd(self) -> None:
        """A line for each check."""
        settings = self.settings()
        found = asyncio.run(doctor.examine(settings, Clock().now().utc))
        if self.as_json:
            say(json.dumps(doctor.as_values(found, settings.language), ensure_ascii=False, indent=2))
        leave(doctor.report(found, settings.language, (lambda line: None) if self.as_json else say))


class Init(Verb):
    """Find evcc, ask at most three questions, write the settings, and say what to enter in the wallbox."""

    file: Path = Field(default=Path("ocpp-watchdog.yaml"), description="where the settings are written")
    central_system: str | None = Field(default=None, description="where evcc is, for example ws://192.168.1.20:8887")
    mode: Mode | None = Field(default=None, description="enforce or observe")
    language: Language = Field(default=Language.EN, description="de or en")
    yes: bool = Field(default=False, description="ask nothing, take what is usual")
    force: bool = Field(default=False, description="overwrite the file")

    def cli_cmd(self) -> None:
        """One conversation."""
        if not self.yes and not sys.stdin.isatty():
            raise SystemExit(INIT["no_terminal"](self.language))
        wishes = first.Wishes(self.file, self.language, self.central_system, self.mode, self.force)
        try:
            asyncio.run(first.begin(wishes, say, None if self.yes else _ask))
        except first.InitError as error:
            raise SystemExit(str(error)) from None


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""
