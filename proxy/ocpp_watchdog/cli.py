"""The verbs. Each is a few lines that call the rooms below; exit codes are those of the design (78: a bad setting)."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import json
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliPositionalArg,
    CliSubCommand,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ocpp_watchdog import __version__, app, device_sheet, fast, logs, parts, ways
from ocpp_watchdog.analysis.verbs import Analyze, Bundle, Report, checked_path
from ocpp_watchdog.ctl.verbs import Ctl, SelfTest
from ocpp_watchdog.demo.stage import DemoOptions, UnknownFaultError, play
from ocpp_watchdog.knowledge import library
from ocpp_watchdog.provenance import effective
from ocpp_watchdog.settings import EX_CONFIG, BadSettingError, Settings, one_line
from ocpp_watchdog.setup.verbs import Doctor, Healthcheck, Init
from ocpp_watchdog.simulator.cli import CentralSystemRun, ChargePointRun, run_central_system, run_charge_point
from ocpp_watchdog.simulator.cli import UnknownFaultError as UnknownFault
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.texts.catalogue import Language

EX_USAGE = 64


class _Verb(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def verb_of(options: type[Any], base: type[_Verb]) -> type[_Verb]:
    """A verb with the fields of a plain dataclass as flags; what is said of a field there becomes its help."""
    kinds, said = get_type_hints(options), _said_of_fields(options)
    fields: dict[str, Any] = {
        field.name: (kinds[field.name], Field(default=field.default, description=said[field.name]))
        for field in dataclasses.fields(options)
    }
    return create_model(base.__name__.removeprefix("_"), __base__=base, __doc__=base.__doc__, **fields)


def _said_of_fields(options: type[Any]) -> dict[str, str]:
    """The string behind each field of a class, by the field's name."""
    body = ast.parse(textwrap.dedent(inspect.getsource(options))).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return {
        field.target.id: text.value.value
        for field, text in pairwise(lines)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


class Run(Settings):
    """Run the proxy."""

    def cli_cmd(self) -> None:
        """Until SIGTERM or Ctrl-C."""
        logs.configure(self.log.level, self.log.format)
        with asyncio.Runner(loop_factory=fast.loop_factory()) as runner:
            runner.run(app.serve(self))


class CheckConfig(Settings):
    """Check the settings and print each with the place it comes from."""

    def cli_cmd(self) -> None:
        """Print the table; certificates and ways to people are tried, too."""
        parts.relay_settings(self)
        ways.deliveries(self)
        rows = effective(self)
        widths = [max(len(getattr(row, column)) for row in rows) for column in ("name", "value")]
        for row in rows:
            say(f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.source}")


class NotifyTest(Settings):
    """Send a test alarm by every way that is configured and say what became of it; exit 1 when one failed."""

    def cli_cmd(self) -> None:
        """One message each, nothing is tried twice."""
        if not asyncio.run(ways.trial(self, say)):
            raise SystemExit(1)


class Demo(_Verb):
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
        if self.once:
            report = checked_path(self.report or Path(tempfile.mkdtemp(prefix="ocpp-watchdog-")) / "report.html")
        options = DemoOptions(self.fault, self.speed, self.once, self.observe, self.language, report=report)
        try:
            code = asyncio.run(play(options, say))
        except UnknownFaultError as error:
            raise BadSettingError(str(error)) from None
        if code:
            raise SystemExit(code)


class _SimulateChargePoint(_Verb):
    """Be a wallbox, well or badly behaved."""

    def cli_cmd(self) -> None:
        """Until Ctrl-C."""
        asyncio.run(run_charge_point(ChargePointRun(**self.model_dump()), say))


class _SimulateCentralSystem(_Verb):
    """Be a central system that behaves like evcc."""

    def cli_cmd(self) -> None:
        """Until Ctrl-C."""
        asyncio.run(run_central_system(CentralSystemRun(**self.model_dump()), say))


if TYPE_CHECKING:
    SimulateChargePoint: TypeAlias = _SimulateChargePoint
    SimulateCentralSystem: TypeAlias = _SimulateCentralSystem
else:
    SimulateChargePoint = verb_of(ChargePointRun, _SimulateChargePoint)
    SimulateCentralSystem = verb_of(CentralSystemRun, _SimulateCentralSystem)


class Simulate(_Verb):
    """Be one end of the line, to try settings without hardware."""

    charge_point: CliSubCommand[SimulateChargePoint] = Field(description=_SimulateChargePoint.__doc__)
    central_system: CliSubCommand[SimulateCentralSystem] = Field(description=_SimulateCentralSystem.__doc__)

    def cli_cmd(self) -> None:
        """Run the end chosen."""
        try:
            CliApp.run_subcommand(self)
        except UnknownFault as error:
            raise BadSettingError(str(error)) from None


class Knowledge(_Verb):
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


class Version(_Verb):
    """Print the version."""

    def cli_cmd(self) -> None:
        """One line."""
        say(__version__)


class Root(BaseSettings):
    """Stands between a wallbox and evcc, and stops the transaction itself when an ordered stop is ignored."""

    model_config = SettingsConfigDict(
        cli_prog_name="ocpp-watchdog",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    run: CliSubCommand[Run] = Field(description=Run.__doc__)
    check_config: CliSubCommand[CheckConfig] = Field(description=CheckConfig.__doc__)
    notify_test: CliSubCommand[NotifyTest] = Field(description=NotifyTest.__doc__)
    demo: CliSubCommand[Demo] = Field(description=Demo.__doc__)
    simulate: CliSubCommand[Simulate] = Field(description=Simulate.__doc__)
    analyze: CliSubCommand[Analyze] = Field(description=Analyze.__doc__)
    report: CliSubCommand[Report] = Field(description=Report.__doc__)
    bundle: CliSubCommand[Bundle] = Field(description=Bundle.__doc__)
    knowledge: CliSubCommand[Knowledge] = Field(description=Knowledge.__doc__)
    ctl: CliSubCommand[Ctl] = Field(description=Ctl.__doc__)
    selftest: CliSubCommand[SelfTest] = Field(description=(SelfTest.__doc__ or "").partition("\n")[0])
    init: CliSubCommand[Init] = Field(description=Init.__doc__)
    doctor: CliSubCommand[Doctor] = Field(description=Doctor.__doc__)
    healthcheck: CliSubCommand[Healthcheck] = Field(description=Healthcheck.__doc__)
    version: CliSubCommand[Version] = Field(description=Version.__doc__)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line alone: a verb is not chosen by a variable of the environment."""
        return (init_settings,)

    def cli_cmd(self) -> None:
        """Run the verb."""
        CliApp.run_subcommand(self)


def run(arguments: Sequence[str]) -> int:
    """Run one verb; gives the exit code."""
    try:
        CliApp.run(Root, cli_args=list(arguments))
    except BadSettingError as error:
        return _bad_setting(str(error))
    except ValidationError as error:
        return _bad_setting(one_line(error, verb=arguments[0] if arguments else ""))
    except SettingsError as error:
        print(f"ocpp-watchdog: {error}", file=sys.stderr)
        return EX_USAGE
    except SystemExit as leaving:
        return _code(leaving.code)
    except OSError as error:
        print(f"ocpp-watchdog: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def say(line: str) -> None:
    """One line on standard output."""
    print(line, flush=True)


def _bad_setting(line: str) -> int:
    print(f"ocpp-watchdog: {line}", file=sys.stderr)
    return EX_CONFIG


def _code(code: object) -> int:
    if isinstance(code, str):
        print(code, file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0
