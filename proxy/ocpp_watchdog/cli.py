"""Which verb there is, and how it ends; exit codes are those of the design (78: a bad setting).

Only the room of the verb that is asked for is imported: a health check every half minute must not load the journal.
"""

from __future__ import annotations

import os
import re
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from pydantic import Field, ValidationError, create_model
from pydantic_settings import CliApp, CliSettingsSource, CliSubCommand, SettingsConfigDict, SettingsError

from ocpp_watchdog.settings import EX_CONFIG, BadSettingError, GivenAlone, one_line
from ocpp_watchdog.verbs.base import Verb, complain

EX_USAGE = 64
EX_NO_VERB = 2
EX_UNREAD = 141
"""What a shell calls a program whose reader left."""

NAMES = re.compile(r"\{[A-Z_]+(?:,[A-Z_]+)*\}|\(default: [A-Z_]+\)")
"""Choices as the library shows them: the names our code has for them, and not what is written in a file."""

VERBS = {
    "run": ("program", "Run"),
    "check-config": ("program", "CheckConfig"),
    "notify-test": ("program", "NotifyTest"),
    "demo": ("demo", "Demo"),
    "simulate": ("simulate", "Simulate"),
    "analyze": ("past", "Analyze"),
    "report": ("past", "Report"),
    "bundle": ("past", "Bundle"),
    "knowledge": ("knowledge", "Knowledge"),
    "ctl": ("ctl", "Ctl"),
    "selftest": ("ctl", "SelfTest"),
    "init": ("setup", "Init"),
    "doctor": ("setup", "Doctor"),
    "healthcheck": ("health", "Healthcheck"),
    "version": ("version", "Version"),
}
"""Verbs, in the order in which help lists them; the file of each below ``verbs``, and its class there."""


class _Help(RawDescriptionHelpFormatter):
    """Choices as a person writes them: ``observe``, not ``OBSERVE``."""

    def format_help(self) -> str:
        """The text."""
        return NAMES.sub(lambda found: found[0].lower(), super().format_help())


class _Root(GivenAlone):
    """A verb is not chosen by a variable of the environment."""

    model_config = SettingsConfigDict(
        cli_prog_name="ocpp-watchdog",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    def cli_cmd(self) -> None:
        """Run the verb."""
        CliApp.run_subcommand(self)


def root(wanted: Iterable[str]) -> type[_Root]:
    """The command with all its verbs; those that are not wanted are names and nothing more."""
    fields: dict[str, Any] = {}
    for verb in VERBS:
        kind = _class_of(verb) if verb in wanted else Verb
        said = (kind.__doc__ or "").partition("\n")[0]
        fields[verb.replace("-", "_")] = (CliSubCommand[kind], Field(description=said))  # type: ignore[misc, valid-type]
    said = "Stands between a wallbox and evcc, and stops the transaction itself when an ordered stop is ignored."
    return create_model("Root", __base__=_Root, __doc__=said, **fields)


def _class_of(verb: str) -> type[Any]:
    file, name = VERBS[verb]
    found: type[Any] = getattr(import_module(f"ocpp_watchdog.verbs.{file}"), name)
    return found


def run(arguments: Sequence[str]) -> int:
    """Run one verb; gives the exit code."""
    wanted = arguments[:1] if arguments and arguments[0] in VERBS else VERBS
    try:
        command = root(wanted)
        shown: CliSettingsSource[Any] = CliSettingsSource(command, formatter_class=_Help)
        CliApp.run(command, cli_args=list(arguments), cli_settings_source=shown)
    except BadSettingError as error:
        return _bad_setting(str(error))
    except ValidationError as error:
        return _bad_setting(one_line(error, verb=arguments[0] if arguments else ""))
    except SettingsError as error:
        complain(str(error))
        return EX_USAGE
    except SystemExit as leaving:
        return _code(leaving.code)
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        why = error.strerror or str(error)
        complain(f"{error.filename}: {why}" if error.filename else why)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _bad_setting(line: str) -> int:
    complain(line)
    return EX_CONFIG


def _unread() -> int:
    """Whoever read what is printed has left (``| head``): nothing is wrong, and nobody is there to be told."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EX_UNREAD


def _code(code: object) -> int:
    if isinstance(code, str):
        complaint, usage, help_text = code.partition("\nusage: ")
        if "subcommand is required" in complaint:  # the library names them as our code does
            verbs = complaint.partition("{")[2].rstrip("}").replace("_", "-")
            complain(f"a verb is needed: {verbs}")
            sys.stderr.write(f"{usage.strip()} {help_text}\n" if usage else "")
            return EX_NO_VERB
        sys.stderr.write(f"{code}\n")
        return 1
    return code if isinstance(code, int) else 0
