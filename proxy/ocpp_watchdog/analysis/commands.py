"""The commands of one charge point in order, each with its answer. Bounded: the newest are kept, others counted."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from ocpp_watchdog.core.decisions import Warn
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.report.model import Command

MOST_COMMANDS = 2_000
MOST_OPEN = 64

_ANSWER = re.compile(r'\s*\[\s*[34]\s*,\s*"((?:[^"\\]|\\.)*)"')
_CALL = re.compile(r'\s*\[\s*2\s*,\s*"((?:[^"\\]|\\.)*)"\s*,\s*"([A-Za-z]*)"')


@dataclass(slots=True)
class Passing:
    """A command and what became of it. orders: (connector, number) of the orders it gave or repeated."""

    command: Command
    mono: float
    orders: list[tuple[ConnectorId, int]] = field(default_factory=list)
    warnings: list[Warn] = field(default_factory=list)

    def ordered(self, connector: ConnectorId, number: int) -> None:
        """It gave or repeated this order of a connector."""
        self.orders.append((connector, number))
        self.command = replace(self.command, order=number)

    def told(self, language: str) -> Command:
        """The command with what is known to be dangerous about it."""
        if not self.warnings:
            return self.command
        texts = [f"{warn.fact}: {warn.de if language == 'de' else warn.en}" for warn in self.warnings]
        return replace(self.command, warning=" ".join(texts))


class Commands:
    """The timeline. left_out: commands that are counted and not kept."""

    def __init__(self, loads: Loads) -> None:
        self.left_out = 0
        self._loads = loads
        self._kept: list[Passing] = []
        self._open: OrderedDict[str, Passing] = OrderedDict()

    def add(self, passing: Passing) -> None:
        """A command went out; it may yet be answered."""
        self._kept.append(passing)
        if len(self._kept) > MOST_COMMANDS:
            del self._kept[0]
            self.left_out += 1
        match = _CALL.match(passing.command.text)
        if match is not None:
            self._open[match[1]] = passing
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)

    def answered(self, text: str, mono: float) -> Passing | None:
        """The command that this frame of the charge point answers, with its answer; None: it answers none."""
        match = _ANSWER.match(text) if self._open else None
        passing = self._open.pop(match[1], None) if match else None
        if passing is not None:
            word, delay = _word(text, self._loads), mono - passing.mono
            passing.command = replace(passing.command, answer=word, answer_text=text, delay=delay)
        return passing

    def forget_open(self) -> None:
        """No answer that comes now belongs to a command from before."""
        self._open.clear()

    def told(self, language: str) -> tuple[Command, ...]:
        """All that are kept."""
        return tuple(passing.told(language) for passing in self._kept)

    @property
    def ours(self) -> list[Command]:
        """Those that the proxy sent itself."""
        return [passing.command for passing in self._kept if passing.command.ours]


def action_of(text: str) -> str:
    """The action of a CALL, empty for anything else."""
    match = _CALL.match(text)
    return match[2] if match else ""


def _word(text: str, loads: Loads) -> str:
    """Accepted, Rejected ..., the code of an error; ``?`` for what cannot be read."""
    try:
        message = loads(text)
    except (ValueError, RecursionError):
        return "?"
    if not isinstance(message, list) or len(message) < 2:
        return "?"
    if message[0] == 4:
        return f"CALLERROR {message[2] if len(message) > 2 else ''}".strip()
    payload = message[2] if len(message) > 2 else None
    status = payload.get("status") if isinstance(payload, dict) else None
    return status if isinstance(status, str) and status else "answered"
