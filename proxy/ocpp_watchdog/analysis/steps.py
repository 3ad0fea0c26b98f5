"""Steps that were really sent, read from our own frames: they take the place of those that would have been sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocpp_watchdog.core.decisions import Ending, StepKind, StepOutcome
from ocpp_watchdog.report.model import Command, Order, Step

REMOTE_STOP = "RemoteStopTransaction"


def with_real_steps(order: Order, commands: Sequence[Command]) -> Order:
    """The order with the stops that the proxy sent while it stood, in place of those it would have sent."""
    episode = order.episode
    if episode is None:
        return order
    end = order.began + order.observed
    sent = [c for c in commands if c.ours and c.action == REMOTE_STOP and order.began <= c.utc <= end]
    if not sent:
        return order
    has_worked = episode.ending == Ending.OBEYED.value
    steps = tuple(
        Step(
            kind=StepKind.REMOTE_STOP.value,
            outcome=_outcome(command, is_proof=has_worked and command is sent[-1]),
            utc=command.utc,
            after=command.utc - order.began,
            transaction_id=int(command.label) if command.label.isdecimal() else None,
            why="",
        )
        for command in sent
    )
    return replace(order, episode=replace(episode, steps=steps))


def _outcome(command: Command, *, is_proof: bool) -> str:
    if not command.answer:
        return StepOutcome.UNANSWERED.value
    if command.answer != "Accepted":
        return StepOutcome.REFUSED.value
    return StepOutcome.PROVED.value if is_proof else StepOutcome.NOT_PROVED.value
