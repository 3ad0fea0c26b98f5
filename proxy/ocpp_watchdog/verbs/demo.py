"""The verb ``demo``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pydantic import Field

from ocpp_watchdog.demo.stage import DemoOptions, UnknownFaultError, faults_of, play
from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.verbs.base import Verb, leave, say
from ocpp_watchdog.verbs.past import checked_path


class Demo(Verb):
    """Play the field case on this machine: a simulated wallbox that ignores 0 A, a stand-in for evcc, the proxy."""

    once: bool = Field(default=False, description="end with the story; exit 0 when the current stopped, 1 when not")
    speed: float = Field(default=30.0, gt=0, le=60, description="simulated seconds per second")
    fault: str = Field(default="ignores-zero", description=f"how the wallbox misbehaves: {', '.join(FAULTS)}")
    observe: bool = Field(default=False, description="only watch, send nothing")
    language: Language = Field(default=Language.EN, description="de or en")
    report: Path | None = Field(default=None, description="where --once writes its report; else a temporary folder")

    def cli_cmd(self) -> None:
        """Until the story ends, or Ctrl-C."""
        report = None
        try:
            faults_of(self.fault)
        except UnknownFaultError as error:
            raise BadSettingError(str(error)) from None
        if self.once:
            report = checked_path(self.report or Path(tempfile.mkdtemp(prefix="ocpp-watchdog-")) / "report.html")
        options = DemoOptions(self.fault, self.speed, self.once, self.observe, self.language, report=report)
        leave(asyncio.run(play(options, say)))
