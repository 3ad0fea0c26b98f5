"""The verbs. Each is a few lines that call the rooms below; exit codes are those of the design (78: a bad setting)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliSubCommand,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ocpp_watchdog import __version__, app, logs
from ocpp_watchdog.demo.stage import DemoOptions, UnknownFaultError, play
from ocpp_watchdog.settings import EX_CONFIG, BadSettingError, Settings, effective, one_line
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.texts.catalogue import Language

EX_USAGE = 64


class _Verb(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(Settings):
    """Run the proxy."""

    def cli_cmd(self) -> None:
        """Until SIGTERM or Ctrl-C."""
        logs.configure(self.log.level, self.log.format)
        asyncio.run(app.serve(self))


class CheckConfig(Settings):
    """Check the settings and print each with the place it comes from."""

    def cli_cmd(self) -> None:
        """Print the table; certificates are tried, too."""
        app.relay_settings(self)
        rows = effective(self)
        widths = [max(len(getattr(row, column)) for row in rows) for column in ("name", "value")]
        for row in rows:
            say(f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.source}")


class Demo(_Verb):
    """Play the field case on this machine: a simulated wallbox that ignores 0 A, a stand-in for evcc, the proxy."""

    once: bool = Field(default=False, description="end with the story; exit 0 when the current stopped, 1 when not")
    speed: float = Field(default=30.0, gt=0, le=60, description="simulated seconds per second")
    fault: str = Field(default="ignores-zero", description=f"how the wallbox misbehaves: {', '.join(FAULTS)}")
    observe: bool = Field(default=False, description="only watch, send nothing")
    language: Language = Field(default=Language.EN, description="de or en")

    def cli_cmd(self) -> None:
        """Until the story ends, or Ctrl-C."""
        options = DemoOptions(self.fault, self.speed, self.once, self.observe, self.language)
        try:
            code = asyncio.run(play(options, say))
        except UnknownFaultError as error:
            raise BadSettingError(str(error)) from None
        if code:
            raise SystemExit(code)


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

    run: CliSubCommand[Run]
    check_config: CliSubCommand[CheckConfig]
    demo: CliSubCommand[Demo]
    version: CliSubCommand[Version]

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
