"""The oracle: the invariants of watchdog rules 7 held against a recorded run. Written from the text alone.

Each check takes the trace and gives sentences about what it should not have seen; ``complaints`` gathers them.
``truth.py`` holds the checks that need to know what really flowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise

from ocpp_watchdog.core.decisions import (
    Ending,
    EvidenceClass,
    FactKind,
    Mode,
    NoticeKind,
    Phase,
    StepKind,
)
from ocpp_watchdog.core.terms import Direction
from scenarios.ladder_oracle import complaints_about_ladder
from scenarios.orders import Stop, fresh_calls, limit_of, messages, stop_orders, usable_ids
from scenarios.trace import Told, Trace, Written

EPSILON = 1e-3
CONVICTING = {EvidenceClass.HIDDEN, EvidenceClass.FLOWING, EvidenceClass.LIVE}
CLOSING = {
    NoticeKind.ALL_CLEAR: Ending.OBEYED,
    NoticeKind.UNPROVEN: Ending.SILENT,
    NoticeKind.SUPERSEDED: Ending.SUPERSEDED,
    NoticeKind.STOOD_DOWN: Ending.STOOD_DOWN,
}
BUDGET = 3
BUDGET_SECONDS = 900.0
SPACING_SECONDS = 30.0
HOLD_SECONDS = 10.0
BY_NAME_SECONDS = 45.0
"""The owner's stop may stand behind a step: each waits 10 s at most, in the lane too, and a step is out for 10 s."""

QUIET_SECONDS = 20.0
QUESTION_SECONDS = 60.0


def complaints(trace: Trace, connectors: Iterable[int] = (1,)) -> list[str]:
    """Every sentence of every check; an innocent run gives none."""
    numbers = tuple(connectors)
    stops = stop_orders(trace, numbers)
    found = frames_without_order(trace, stops)
    found += frames_in_observe(trace)
    found += steps_on_weak_evidence(trace)
    found += steps_beyond_budget(trace, numbers)
    found += steps_that_did_not_wait(trace)
    found += steps_with_foreign_id(trace)
    found += frames_after_stand_down(trace, stops)
    found += questions_out_of_place(trace, stops)
    found += holds_too_long(trace)
    found += complaints_about_ladder(trace, stops, numbers)
    for number in numbers:
        found += episodes_out_of_order(trace, number)
        found += alarms_without_order(trace, stops, number)
    return found


def by_name(trace: Trace, written: Written) -> bool:
    """Did the owner order this frame?"""
    return any(
        connector == written.inject.connector and at <= written.at <= at + BY_NAME_SECONDS
        for at, connector in trace.by_name
    )


def standing(stops: list[Stop], connector: int, at: float) -> Stop | None:
    """The stop order that stands on this connector at this moment."""
    return next((stop for stop in stops if stop.connector == connector and stop.stands(at)), None)


def standing_when(trace: Trace, stops: list[Stop], written: Written) -> Stop | None:
    """The stop order that stood when this frame was written; what passed after it at the same instant came too late."""
    connector = written.inject.connector
    stop = standing(stops, connector, written.at)
    before = standing(stops, connector, written.at - 1e-6)
    if stop is not None or before is None or written.behind is None:
        return stop
    passed = messages(frame for frame in trace.passed[: written.behind] if frame.at == written.at)
    limits = [limit for message in passed if (limit := limit_of(message, connector)) is not None]
    return before if not limits or limits[-1][0] == 0 else None


def frames_without_order(trace: Trace, stops: list[Stop]) -> list[str]:
    """Invariants 1 and 4: no step without a standing stop order past its deadline, nothing against a raise."""
    found = []
    for written in trace.stops():
        if by_name(trace, written):
            continue
        stop = standing_when(trace, stops, written)
        if stop is None:
            found.append(f"{written.at:.3f}: RemoteStop on {written.inject.connector} without a standing stop order")
        elif written.at < stop.deadline - EPSILON:
            found.append(f"{written.at:.3f}: RemoteStop before the deadline {stop.deadline:.3f}")
        elif stop.unit == "W" and not ordered_watts_before(trace, stop):
            found.append(f"{written.at:.3f}: RemoteStop on 0 W, though more than 0 W was never ordered")
    return found


def ordered_watts_before(trace: Trace, stop: Stop) -> bool:
    """Rules 1: 0 W counts for acting only when more than 0 W was ordered on this connector before."""
    orders = [limit_of(message, stop.connector) for message in messages(trace.passed) if message.at < stop.began]
    return any(limit is not None and limit[0] > 0 and limit[1] == "W" for limit in orders)


def frames_in_observe(trace: Trace) -> list[str]:
    """Invariant 2."""
    if trace.mode is not Mode.OBSERVE:
        return []
    return [
        f"{written.at:.3f}: {written.inject.action} in observe mode"
        for written in trace.written
        if not by_name(trace, written)
        and not any(at <= written.at for at, _ in trace.set_back if written.inject.action == "ChangeAvailability")
    ]


def steps_on_weak_evidence(trace: Trace) -> list[str]:
    """Invariant 3, as far as the program itself says what the evidence was."""
    found = []
    for written in trace.stops():
        if by_name(trace, written):
            continue
        if written.episode is None:
            found.append(f"{written.at:.3f}: RemoteStop without an open episode")
        if written.last_evidence not in CONVICTING:
            found.append(f"{written.at:.3f}: RemoteStop on evidence {written.last_evidence}")
        if written.phase is not Phase.REMEDYING:
            found.append(f"{written.at:.3f}: RemoteStop while {written.phase}")
    return found


def steps_beyond_budget(trace: Trace, connectors: Iterable[int]) -> list[str]:
    """Invariant 5 and rules 5: at most 3 frames in 15 minutes per connector, at least 30 s apart."""
    found = []
    for connector in connectors:
        times = [written.at for written in trace.stops(connector) if not by_name(trace, written)]
        for first, second in pairwise(times):
            if second - first < SPACING_SECONDS - EPSILON:
                found.append(f"{second:.3f}: RemoteStop {second - first:.3f} s after the one before")
        for first, fourth in zip(times, times[BUDGET:], strict=False):
            if fourth - first < BUDGET_SECONDS - EPSILON:
                found.append(f"{fourth:.3f}: fourth RemoteStop within {fourth - first:.1f} s on {connector}")
    return found


def steps_that_did_not_wait(trace: Trace) -> list[str]:
    """Rules 6: frames of ours wait for an idle channel; a stop at most 10 s, a question is dropped."""
    found = []
    for written in trace.written:
        busy = fresh_calls(trace, *trace.decided.get(written.inject.unique_id, (written.at, None)))
        waited = forced(trace, written) or waited_by_name(trace, written)
        if busy and not (written.inject.is_step and waited):
            found.append(f"{written.at:.3f}: {written.inject.action} into a channel busy with {busy}")
    return found


def waited_by_name(trace: Trace, written: Written) -> bool:
    """The owner's stop: did it wait 10 s for its turn?"""
    return any(
        connector == written.inject.connector and HOLD_SECONDS - EPSILON <= written.at - at <= BY_NAME_SECONDS
        for at, connector in trace.by_name
    )


def forced(trace: Trace, written: Written) -> bool:
    """Does the record say that this step left a channel that was not idle, 10 s after it was decided?"""
    return any(
        kept.record.step is not None
        and kept.record.step.unique_id == written.inject.unique_id
        and kept.record.step.forced
        and written.at - kept.record.step.decided.mono >= HOLD_SECONDS - EPSILON
        for kept in trace.kept
    )


def steps_with_foreign_id(trace: Trace) -> list[str]:
    """Rules 5: only an answered or a reported transaction id is ever sent."""
    found = []
    for written in trace.stops():
        parts = json.loads(written.inject.text)
        named = parts[3]["transactionId"]
        if parts[0] != 2 or parts[1] != written.inject.unique_id or not str(parts[1]).startswith("wd-"):
            found.append(f"{written.at:.3f}: not a CALL of ours: {written.inject.text}")
        if named not in usable_ids(trace, written.inject.connector, written.at, written.behind):
            found.append(f"{written.at:.3f}: RemoteStop names transaction {named}, which nobody gave")
    return found


def frames_after_stand_down(trace: Trace, stops: list[Stop]) -> list[str]:
    """Rules 3: stood down until the next stop order after a raise."""
    found = []
    for at, connector in trace.stood_down:
        for written in trace.stops(connector):
            stop = standing(stops, connector, written.at)
            if written.at > at and stop is not None and stop.began < at and not by_name(trace, written):
                found.append(f"{written.at:.3f}: RemoteStop although the owner stood it down at {at:.3f}")
    return found


def questions_out_of_place(trace: Trace, stops: list[Stop]) -> list[str]:
    """Rules 2 and 6: when a question may be asked. Only TriggerMessage(MeterValues) for a stop order is known here."""
    found = []
    starts = [message.at for message in messages(trace.passed) if message.action == "StartTransaction"]
    asked: list[Written] = []
    for written in trace.questions():
        if any(at <= written.at < at + QUIET_SECONDS - EPSILON for at in starts):
            found.append(f"{written.at:.3f}: question within 20 s of a StartTransaction")
        stop = standing_when(trace, stops, written)
        if stop is None or written.at < stop.deadline - EPSILON:
            found.append(f"{written.at:.3f}: question without an overdue stop order")
        for earlier in asked:
            if (
                written.at - earlier.at < QUESTION_SECONDS - EPSILON
                and earlier.inject.connector == written.inject.connector
                and earlier.inject.action == written.inject.action
            ):
                found.append(f"{written.at:.3f}: asked again after {written.at - earlier.at:.1f} s")
            if earlier.inject.action == written.inject.action and spurned(trace, earlier, written.at):
                found.append(f"{written.at:.3f}: asked although a question was refused or left open before")
        asked.append(written)
    return found


def spurned(trace: Trace, question: Written, now: float) -> bool:
    """Was this question refused, or unanswered for 10 s, or cut off by the end of the session?"""
    for at, unique_id, text in trace.answered:
        if unique_id == question.inject.unique_id and at <= now:
            parts = json.loads(text)
            return parts[0] == 4 or parts[2].get("status") != "Accepted" or at - question.at > HOLD_SECONDS + EPSILON
    lost = any(not up and question.at <= at <= question.at + HOLD_SECONDS for at, up in trace.links)
    return now - question.at > HOLD_SECONDS + EPSILON and not lost


def holds_too_long(trace: Trace) -> list[str]:
    """Rules 6: the central system's CALLs are held at most 10 s."""
    return [
        f"{begin:.3f}: central system held for {end - begin:.1f} s"
        for begin, end in trace.held
        if end - begin > HOLD_SECONDS + EPSILON
    ]


def episodes_out_of_order(trace: Trace, connector: int) -> list[str]:
    """Invariant 7: one open episode, one alarm, one closing message of the right kind, everything else in between."""
    found = []
    current: int | None = None
    closed = 0
    for told in trace.notices(connector=connector):
        number = told.notify.episode.number
        if told.kind is NoticeKind.ALARM:
            if current is not None:
                found.append(f"{told.at:.3f}: alarm for {number} while {current} is open")
            if number <= closed:
                found.append(f"{told.at:.3f}: second alarm for episode {number}")
            current = number
        elif current != number:
            found.append(f"{told.at:.3f}: {told.kind} for {number} while {current} is open")
        elif told.kind in CLOSING:
            found += wrong_ending(told)
            closed, current = number, None
    opened = facts(trace, connector, FactKind.EPISODE_OPENED)
    ended = facts(trace, connector, FactKind.EPISODE_CLOSED)
    alarms = [told.notify.episode.number for told in trace.notices(NoticeKind.ALARM, connector=connector)]
    closings = [told.notify.episode.number for told in trace.notices(*CLOSING, connector=connector)]
    if opened != alarms:
        found.append(f"alarms for {alarms}, records of openings for {opened}")
    if ended != closings:
        found.append(f"closing messages for {closings}, records of endings for {ended}")
    return found


def wrong_ending(told: Told) -> list[str]:
    """An all-clear only by obeyed, and so on."""
    ending = told.notify.episode.ending
    return [] if ending is CLOSING[told.kind] else [f"{told.at:.3f}: {told.kind} for an episode that ended {ending}"]


def facts(trace: Trace, connector: int, kind: FactKind) -> list[int]:
    """Episode numbers of the records of this kind."""
    return [
        kept.record.episode.number
        for kept in trace.kept
        if kept.record.kind is kind and kept.record.connector == connector and kept.record.episode is not None
    ]


def alarms_without_order(trace: Trace, stops: list[Stop], connector: int) -> list[str]:
    """Rules 4: an episode opens when a stop order is confirmed violated, so after its deadline."""
    found = []
    for told in trace.notices(NoticeKind.ALARM, connector=connector):
        stop = standing(stops, connector, told.at) or standing(stops, connector, told.at - 1e-6)
        if stop is None or told.at < stop.deadline - EPSILON:
            found.append(f"{told.at:.3f}: alarm without an overdue stop order")
    return found


def steps_of(trace: Trace, kind: StepKind = StepKind.REMOTE_STOP) -> list[str]:
    """Outcomes of the steps as recorded, in order: for tables."""
    return [
        kept.record.step.outcome.value
        for kept in trace.steps_recorded()
        if kept.record.step and kept.record.step.kind is kind
    ]


def passed_actions(trace: Trace, direction: Direction) -> list[str]:
    """Actions of the CALLs that went through in this direction: for tables."""
    return [
        message.action for message in messages(trace.passed) if message.kind == 2 and message.direction is direction
    ]
