"""Steps that were really sent, read from our own frames: they take the place of those that would have been sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocpp_watchdog.core.decisions import Ending, StepKind, StepOutcome
from ocpp_watchdog.core.terms import Purpose
from ocpp_watchdog.report.model import Command, Order, Step

KINDS = {
    "RemoteStopTransaction": StepKind.REMOTE_STOP,
    "ChangeAvailability": StepKind.INOPERATIVE,
    "Reset": StepKind.SOFT_RESET,
    "SetChargingProfile": StepKind.REPEAT_LIMIT,
}
SETS_BACK = "Operative"


def with_real_steps(order: Order, commands: Sequence[Command]) -> Order:
    """The order with the steps that the proxy sent while it stood, in place of those it would have sent."""
    episode = order.episode
    if episode is None:
        return order
    end = order.began + order.observed
    sent = [c for c in commands if c.ours and order.began <= c.utc <= end and _kind(c) is not None]
    if not sent:
        return order
    has_worked = episode.ending == Ending.OBEYED.value
    steps = tuple(
        Step(
            kind=(_kind(command) or StepKind.REMOTE_STOP).value,
            outcome=_outcome(command, is_proof=has_worked and command is sent[-1]),
            utc=command.utc,
            after=command.utc - order.began,
            transaction_id=int(command.label) if command.label.isdecimal() else None,
            why="",
        )
        for command in sent
    )
    return replace(order, episode=replace(episode, steps=steps))


def _kind(command: Command) -> StepKind | None:
    """Which step a frame of ours was; None: none of the ladder (a question, or what sets a step back)."""
    if command.label == SETS_BACK:
        return None
    if command.action == "SetChargingProfile" and command.details.startswith(Purpose.TX.value):
        return StepKind.TX_PROFILE
    return KINDS.get(command.action)


def _outcome(command: Command, *, is_proof: bool) -> str:
    if not command.answer:
        return StepOutcome.UNANSWERED.value
    if command.answer != "Accepted":
        return StepOutcome.REFUSED.value
    return StepOutcome.PROVED.value if is_proof else StepOutcome.NOT_PROVED.value
