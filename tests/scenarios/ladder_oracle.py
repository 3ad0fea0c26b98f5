"""The oracle's eye for the whole ladder: steps other than RemoteStopTransaction, what must be undone after them, and
the question for the composite schedule (watchdog rules 5 to 7, DESIGN 4). Written from the text alone.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable

from ocpp_watchdog.core.decisions import EvidenceClass, Phase, StepKind
from ocpp_watchdog.core.policy import AfterStop, SetBack
from ocpp_watchdog.core.terms import Direction
from scenarios.orders import Message, Stop, limit_of, messages
from scenarios.trace import Trace, Written

EPSILON = 1e-3
CONVICTING = {EvidenceClass.HIDDEN, EvidenceClass.FLOWING, EvidenceClass.LIVE}
DAY_SECONDS = 86_400.0
ORDERED_SECONDS = 120.0
PROOF_SECONDS = 30.0

STEPS = {
    "SetChargingProfile": (StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE),
    "RemoteStopTransaction": (StepKind.REMOTE_STOP,),
    "ChangeAvailability": (StepKind.INOPERATIVE,),
    "Reset": (StepKind.SOFT_RESET,),
}
QUESTIONS = ("TriggerMessage", "GetCompositeSchedule")


def payload_of(written: Written) -> dict[str, object]:
    """What one of our CALLs says."""
    said = json.loads(written.inject.text)[3]
    assert isinstance(said, dict)
    return said


def kind_of(written: Written) -> StepKind | None:
    """Which step a CALL of ours is, None: it is none."""
    action, payload = written.inject.action, payload_of(written)
    if action == "SetChargingProfile":
        profile = payload["csChargingProfiles"]
        assert isinstance(profile, dict)
        own = profile["chargingProfilePurpose"] == "TxProfile" and profile["chargingProfileId"] >= 100
        return StepKind.TX_PROFILE if own else StepKind.REPEAT_LIMIT
    if action == "ChangeAvailability" and payload["type"] == "Operative":
        return None
    return STEPS[action][0] if action in STEPS else None


def complaints_about_ladder(trace: Trace, stops: list[Stop], numbers: Iterable[int]) -> list[str]:
    """Every sentence."""
    found = [
        f"{written.at:.3f}: {written.inject.action} is in nobody's ladder"
        for written in trace.written
        if written.inject.action not in {*STEPS, *QUESTIONS, "ClearChargingProfile", "RemoteStartTransaction"}
    ]
    found += steps_of_nobody(trace)
    found += steps_out_of_place(trace, stops)
    for number in numbers:
        found += steps_beyond_budget(trace, number)
        found += steps_too_close(trace, number)
    found += profiles_left_or_cleared_in_vain(trace)
    found += connectors_set_back_in_vain(trace, stops)
    found += restarts_out_of_place(trace)
    found += schedules_asked_out_of_place(trace)
    return found


def steps_of_nobody(trace: Trace) -> list[str]:
    """Only the owner's steps are taken; limits above 0 are acted on by two of them, if the owner says so."""
    found = []
    for written in trace.written:
        kind = kind_of(written)
        if kind is None or (kind is StepKind.REMOTE_STOP and written.at in by_name_times(trace, written)):
            continue
        if written.inject.is_step and kind not in trace.policy.ladder and kind is not StepKind.REMOTE_STOP:
            found.append(f"{written.at:.3f}: {kind} is in nobody's ladder")
        limits = (StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE)
        if not written.inject.is_step and not (trace.policy.enforce_limits and kind in limits):
            found.append(f"{written.at:.3f}: {kind} against a limit above 0")
    if trace.calls and StepKind.EXTERNAL not in trace.policy.ladder:
        found.append("somebody was called out, and nobody wants that")
    return found


def by_name_times(trace: Trace, written: Written) -> list[float]:
    """The moment of this frame, if the owner ordered it by name."""
    return [
        written.at
        for at, connector in trace.by_name
        if connector == written.inject.connector and at <= written.at <= at + 45.0
    ]


def steps_out_of_place(trace: Trace, stops: list[Stop]) -> list[str]:
    """Invariants 1, 3 and 4 for steps other than RemoteStopTransaction (``oracle.py`` has that one)."""
    found = []
    for written in trace.written:
        kind = kind_of(written)
        if kind in (None, StepKind.REMOTE_STOP) or not written.inject.is_step:
            continue
        stood = any(
            stop.connector == written.inject.connector and (stop.stands(written.at) or stop.stands(written.at - 1e-6))
            for stop in stops
            if written.at >= stop.deadline - EPSILON
        )
        if not stood:
            found.append(f"{written.at:.3f}: {kind} without an overdue stop order")
        if written.last_evidence not in CONVICTING or written.episode is None:
            found.append(f"{written.at:.3f}: {kind} on evidence {written.last_evidence}")
        if written.phase is not Phase.REMEDYING:
            found.append(f"{written.at:.3f}: {kind} while {written.phase}")
    return found


def steps_beyond_budget(trace: Trace, connector: int) -> list[str]:
    """Invariant 5: one an episode; of resets one a day, for the whole charge point."""
    taken = Counter(
        (kind, written.episode)
        for written in trace.written
        if written.inject.connector == connector and written.inject.is_step and (kind := kind_of(written)) is not None
    )
    taken.update(
        (StepKind.EXTERNAL, call.episode.number)
        for _, call in trace.calls
        if call.connector == connector and call.episode is not None
    )
    once = (StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.INOPERATIVE, StepKind.EXTERNAL)
    found = [
        f"{kind}: {times} times in episode {number}"
        for (kind, number), times in taken.items()
        if kind in once and times > 1
    ]
    resets = [written.at for written in trace.written if kind_of(written) is StepKind.SOFT_RESET]
    found += [
        f"{second:.3f}: second Reset within a day"
        for first, second in itertools.pairwise(resets)
        if second - first < DAY_SECONDS - EPSILON
    ]
    return found


def steps_too_close(trace: Trace, connector: int) -> list[str]:
    """One step at a time: the next one only when the one before was refused, left unanswered, or had its time."""
    found = []
    steps = [w for w in trace.written if w.inject.is_step and w.inject.connector == connector and kind_of(w)]
    steps = [w for w in steps if not by_name_times(trace, w)]
    for first, second in itertools.pairwise(steps):
        answer = next((text for _, uid, text in trace.answered if uid == first.inject.unique_id), None)
        done = answer is not None and any(word in answer for word in ("Accepted", "Scheduled"))
        if done and first.episode == second.episode and second.at - first.at < PROOF_SECONDS - EPSILON:
            proved = any(
                kept.record.step is not None
                and kept.record.step.unique_id == first.inject.unique_id
                and kept.record.step.outcome == "proved"
                and kept.at <= second.at
                for kept in trace.kept
            )
            if not proved:
                found.append(f"{second.at:.3f}: {kind_of(second)} while the step before awaits its proof")
    return found


def profiles_left_or_cleared_in_vain(trace: Trace) -> list[str]:
    """ClearChargingProfile only of our own profile, and only when the central system orders something else."""
    found = []
    for written in trace.written:
        if written.inject.action != "ClearChargingProfile":
            continue
        mine = [
            earlier
            for earlier in trace.written
            if earlier.at < written.at
            and kind_of(earlier) is StepKind.TX_PROFILE
            and payload_of(earlier)["csChargingProfiles"]["chargingProfileId"] == payload_of(written).get("id")  # type: ignore[index]
        ]
        if not mine:
            found.append(f"{written.at:.3f}: cleared a profile that is not ours")
        elif commanded(trace, written.inject.connector, written.at) == limit_in(mine[-1]):
            found.append(f"{written.at:.3f}: cleared our profile although nothing else was ordered")
    return found


def limit_in(written: Written) -> float:
    """The limit of a profile of ours."""
    period = payload_of(written)["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]  # type: ignore[index]
    return float(period["limit"])


def commanded(trace: Trace, connector: int, at: float) -> float | None:
    """The limit that was asked for last."""
    limits = [limit_of(message, connector) for message in messages(f for f in trace.passed if f.at <= at)]
    known = [limit for limit in limits if limit is not None]
    return known[-1][0] if known else None


def connectors_set_back_in_vain(trace: Trace, stops: list[Stop]) -> list[str]:
    """Operative only where we had set Inoperative, after the episode, if the owner wants that; or by name."""
    found = []
    for written in trace.written:
        if written.inject.action != "ChangeAvailability" or kind_of(written) is not None:
            continue
        number = written.inject.connector
        if any(connector == number and at <= written.at for at, connector in trace.set_back):
            continue
        ours = [w for w in trace.written if kind_of(w) is StepKind.INOPERATIVE and w.inject.connector == number]
        if trace.policy.set_back is not SetBack.ALL_CLEAR or not any(w.at < written.at for w in ours):
            found.append(f"{written.at:.3f}: set back what we had not set, or were not asked to set back")
        if written.episode is not None:
            found.append(f"{written.at:.3f}: set back while the episode is open")
    return found


def restarts_out_of_place(trace: Trace) -> list[str]:
    """Rules 5, after_stop: restart."""
    found = []
    before = 0.0
    for written in trace.written:
        if written.inject.action != "RemoteStartTransaction":
            continue
        number = written.inject.connector
        stops = [w.at for w in trace.stops(number) if before < w.at < written.at]
        if trace.policy.after_stop is not AfterStop.RESTART or not stops:
            found.append(f"{written.at:.3f}: started anew what we had not stopped, or were not asked to")
            continue
        heard = messages(frame for frame in trace.passed if frame.at <= written.at)
        if not is_ordered_long_enough(heard, number, written.at):
            found.append(f"{written.at:.3f}: started anew before current was ordered for two minutes")
        if any(message.at > stops[-1] and forbids(message, number) for message in heard):
            found.append(f"{written.at:.3f}: started anew although the cable was out or somebody else did")
        before = written.at
    return found


def is_ordered_long_enough(heard: list[Message], connector: int, at: float) -> bool:
    limits = [(message.at, limit) for message in heard if (limit := limit_of(message, connector)) is not None]
    since = None
    for when, (amperes, _) in limits:
        since = None if amperes <= 0 else when if since is None else since
    return since is not None and at - since >= ORDERED_SECONDS - EPSILON


def forbids(message: Message, connector: int) -> bool:
    """Available, a new transaction, or the central system's own remote start."""
    if message.kind != 2:
        return False
    if message.direction is Direction.TO_CHARGE_POINT:
        return message.action == "RemoteStartTransaction" and message.payload.get("connectorId") in (None, connector)
    if message.payload.get("connectorId") != connector:
        return False
    is_available = message.action == "StatusNotification" and message.payload.get("status") == "Available"
    return is_available or message.action == "StartTransaction"


def schedules_asked_out_of_place(trace: Trace) -> list[str]:
    """Once an episode, after the answer to its first step."""
    found = []
    asked: set[tuple[int, int | None]] = set()
    for written in trace.written:
        if written.inject.action != "GetCompositeSchedule":
            continue
        where = (int(written.inject.connector), written.episode)
        if where in asked:
            found.append(f"{written.at:.3f}: schedule asked for twice in episode {written.episode}")
        asked.add(where)
        steps = [
            w
            for w in trace.written
            if w.at <= written.at and (int(w.inject.connector), w.episode) == where and kind_of(w) is not None
        ]
        called = [at for at, call in trace.calls if at <= written.at and call.connector == written.inject.connector]
        if not steps and not called:
            found.append(f"{written.at:.3f}: schedule asked for before any step")
    return found
