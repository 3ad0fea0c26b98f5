"""The verb ``simulate``: each field of the simulator's plain options is a flag."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from pydantic import Field, create_model
from pydantic_settings import CliApp, CliSubCommand

from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.simulator.cli import (
    CentralSystemRun,
    ChargePointRun,
    UnknownFaultError,
    run_central_system,
    run_charge_point,
)
from ocpp_watchdog.verbs.base import Verb, say


def verb_of(options: type[Any], base: type[Verb]) -> type[Verb]:
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


class _SimulateChargePoint(Verb):
    """Be a wallbox, well or badly behaved."""

    def cli_cmd(self) -> None:
        """Until Ctrl-C."""
        asyncio.run(run_charge_point(ChargePointRun(**self.model_dump()), say))


class _SimulateCentralSystem(Verb):
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


class Simulate(Verb):
    """Be one end of the line, to try settings without hardware."""

    charge_point: CliSubCommand[SimulateChargePoint] = Field(description=_SimulateChargePoint.__doc__)
    central_system: CliSubCommand[SimulateCentralSystem] = Field(description=_SimulateCentralSystem.__doc__)

    def cli_cmd(self) -> None:
        """Run the end chosen."""
        try:
            CliApp.run_subcommand(self)
        except UnknownFaultError as error:
            raise BadSettingError(str(error)) from None
