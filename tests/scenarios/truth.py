"""The part of the oracle that knows what really flowed: when the program must act, and when it must not.

``must act`` is judged only where the text leaves no doubt: honest readings with live digits, measured and received
after the deadline with a margin for whole-second time stamps, a usable id, a connection that has stood for a while, and
budget left. ``must not`` is judged everywhere: no stop where nothing flowed, no alarm where the meter was honest too.
"""

from __future__ import annotations

from ocpp_watchdog.core.decisions import Mode, NoticeKind, StepKind
from scenarios.ladder_oracle import kind_of
from scenarios.oracle import by_name, standing, standing_when
from scenarios.orders import Stop, stop_orders, usable_ids
from scenarios.peers import Box, Delivered
from scenarios.trace import Trace

STAMP_MARGIN = 1.5
"""Whole-second stamps make a reading look up to a second older than it is."""

SPAN_SECONDS = 8.0
PROMPT_SECONDS = 2.0
STEADY_LINK_SECONDS = 90.0
TURN_SECONDS = 10.2
CLEAR_SECONDS = 60.0
SURELY_OVER = 3.2
"""Above this the evidence is not slight."""

ZERO_AMPERES = 1.0


def verdict(trace: Trace, box: Box) -> list[str]:
    """Every sentence about acting on nothing, or not acting on something."""
    stops = stop_orders(trace, box.plugs)
    found = acted_on_nothing(trace, box, stops)
    found += missed(trace, box, stops)
    found += all_clear_too_soon(trace, box, stops)
    found += innocents_named(trace, box, stops)
    return found


def innocents_named(trace: Trace, box: Box, stops: list[Stop]) -> list[str]:
    """A RemoteStop whose id is that of a connector on which no stop order stands, too."""
    found = []
    for at, known in box.named:
        ours = [written for written in trace.stops() if written.at == at and not by_name(trace, written)]
        innocent = [number for number in known if standing(stops, number, at - 1e-6) is None]
        if ours and len(known) > 1 and innocent:
            found.append(f"{at:.3f}: RemoteStop names connector {innocent[0]} too, where no stop stands")
    return found


def acted_on_nothing(trace: Trace, box: Box, stops: list[Stop]) -> list[str]:
    """No RemoteStop unless more than 1 A truly flowed after the deadline; no alarm either, if the meter was honest."""
    found = []
    for written in trace.stops():
        stop = standing_when(trace, stops, written)
        if stop is None or by_name(trace, written) or is_believed_by_mistake(box):
            continue
        if not box.flowed(stop.connector, stop.deadline - STAMP_MARGIN, written.at):
            found.append(f"{written.at:.3f}: RemoteStop although nothing flowed after {stop.deadline:.3f}")
    for told in trace.notices(NoticeKind.ALARM):
        stop = standing(stops, told.notify.connector, told.at)
        if stop is None or not all(note.honest for note in box.delivered if note.arrived >= stop.began):
            continue
        if not box.flowed(stop.connector, stop.deadline - STAMP_MARGIN, told.at):
            found.append(f"{told.at:.3f}: alarm although nothing flowed after {stop.deadline:.3f}")
    return found


def is_believed_by_mistake(box: Box) -> bool:
    """The known residue of rules 2: a frozen meter whose figures are so coarse that repeating them for ever proves
    nothing, and whose register could not rise by two steps in a minute by what the meter claims."""
    traits = box.traits
    coarse = not traits.currents or traits.decimals < 3 or traits.noise == 0.0
    claimed = traits.draw * traits.phases * 230.0 * min(1.0, 1.0 if traits.power is None else traits.power)
    mute = traits.register_step is None or claimed / 60.0 < 2.5 * traits.register_step
    return traits.meter == "frozen" and coarse and mute


def missed(trace: Trace, box: Box, stops: list[Stop]) -> list[str]:
    """A stop order violated beyond doubt, in time, with everything at hand, and no step."""
    if trace.mode is Mode.OBSERVE or not speaks_clearly(box):
        return []
    found = []
    for stop in stops:
        proof = proof_of(trace, box, stop)
        if proof is None or not could_act(trace, box, stop, proof):
            continue
        if not any(stop.began <= at <= proof + TURN_SECONDS for at, _ in taken(trace, stop.connector)):
            found.append(f"{proof:.3f}: violated beyond doubt since {stop.deadline:.3f}, and nothing was sent")
    return found


def speaks_clearly(box: Box) -> bool:
    """Is the evidence of this meter live or flowing without doubt?"""
    traits = box.traits
    fine = traits.register_step is None or traits.register_step <= 1.0
    lively = traits.currents and traits.decimals >= 2 and traits.noise >= 0.02 and traits.meter == "true"
    return fine and lively and traits.register_share == 1.0 and traits.stamp in ("seconds", "millis")


def proof_of(trace: Trace, box: Box, stop: Stop) -> float | None:
    """When the confirming reading arrived: counting over readings at least 8 s apart with none below in between.

    Two of them; four where a register has a say, whose class may still be undecided at the second."""
    needed = 2 if box.traits.register_step is None else 4
    run: list[Delivered] = []
    for note in box.delivered:
        if note.connector != stop.connector or note.arrived < stop.deadline or note.shown is None:
            continue
        if not stop.stands(note.arrived) or note.shown <= SURELY_OVER or not note.honest:
            run = []
            continue
        late = note.arrived - note.measured > PROMPT_SECONDS
        if late or note.measured < stop.deadline + STAMP_MARGIN or not steady(trace, note.arrived):
            continue
        run.append(note)
        if len(run) >= needed and note.measured - run[0].measured >= SPAN_SECONDS + STAMP_MARGIN:
            return note.arrived
    return None


def steady(trace: Trace, at: float) -> bool:
    """Has the link been up without a break for a while?"""
    return all(when < at - STEADY_LINK_SECONDS for when, _ in trace.links if when <= at)


def could_act(trace: Trace, box: Box, stop: Stop, proof: float) -> bool:
    """Nothing stood in the way from the proof on until the last moment of acting, and some step of the owner's was
    there to be taken beyond doubt."""
    end = proof + TURN_SECONDS
    if stop.ended <= end or any(begin <= end and proof <= finish for begin, finish in stop.gaps):
        return False
    if any(proof <= when <= end for when, _ in trace.links) or stop.unit != "A":
        return False
    if any(connector == stop.connector and at <= end for at, connector in trace.stood_down):
        return False
    # The owner's own stop takes the step's place in the channel, and keeps it at a distance.
    if any(connector == stop.connector and proof - 60.0 <= at <= end for at, connector in trace.by_name):
        return False
    last = trace.steps[-1].arguments[-1]
    ends = getattr(last, "mono", 0.0)
    return ends >= end and any(is_at_hand(trace, box, stop, kind, proof) for kind in trace.policy.ladder)


def is_at_hand(trace: Trace, box: Box, stop: Stop, kind: StepKind, proof: float) -> bool:
    """This step can be taken beyond doubt: RemoteStopTransaction by its budget; of the others those that never were."""
    ids = usable_all_along(trace, stop.connector, proof)
    if kind in (StepKind.REMOTE_STOP, StepKind.TX_PROFILE) and not ids:
        return False
    if kind is StepKind.REMOTE_STOP:
        others = (usable_ids(trace, other, proof, beyond_doubt=False) for other in box.plugs if other != stop.connector)
        recent = [written.at for written in trace.stops(stop.connector) if proof - 900.0 < written.at < stop.began]
        is_free = len(recent) < 3 and not any(proof - at < 30.0 for at in recent)
        return is_free and not any(ids & theirs for theirs in others)
    if kind is StepKind.SOFT_RESET and len(box.plugs) > 1:
        return False  # another connector may be charging
    superseded = trace.notices(NoticeKind.SUPERSEDED, connector=stop.connector)
    if any(stop.began - told.at < 960.0 for told in superseded):
        return False  # passed over in the second round
    return not any(at < stop.began and known is kind for at, known in taken(trace, None))


def usable_all_along(trace: Trace, connector: int, proof: float) -> set[int]:
    """The ids that could be used from the proof on until the last moment of acting."""
    known = [usable_ids(trace, connector, at, beyond_doubt=True) for at in (proof, proof + TURN_SECONDS)]
    return known[0] & known[1]


def taken(trace: Trace, connector: int | None) -> list[tuple[float, StepKind | None]]:
    """The steps that went out on this connector, or on any: when, and what they were."""
    written = [(each.at, kind_of(each)) for each in trace.written if connector in (None, each.inject.connector)]
    called = [(at, StepKind.EXTERNAL) for at, call in trace.calls if connector in (None, call.connector)]
    return [*((at, kind) for at, kind in written if kind is not None), *called]


def all_clear_too_soon(trace: Trace, box: Box, stops: list[Stop]) -> list[str]:
    """Rules 4, obeyed: 60 s without an over sample and one at most 1 A among them, or a raise after such a reading."""
    found = []
    for told in trace.notices(NoticeKind.ALL_CLEAR):
        ordered = told.notify.episode.ordered.mono
        ended = [stop.ended for stop in stops if stop.connector == told.notify.connector and stop.began == ordered]
        gaps = [gap for stop in stops if stop.began == ordered for gap in stop.gaps]
        if any(end <= told.at <= end + TURN_SECONDS for end in [*ended, *(begin for begin, _ in gaps)]):
            continue
        span = [
            note
            for note in box.delivered
            if note.connector == told.notify.connector
            and told.at - CLEAR_SECONDS + STAMP_MARGIN < note.measured
            and note.arrived <= told.at
            and note.shown is not None
        ]
        # What flowed while a raise stood, that was taken back later, was allowed.
        judged = [note for note in span if not any(begin <= note.arrived < end for begin, end in gaps)]
        if any(note.shown is not None and note.shown > ZERO_AMPERES for note in judged):
            found.append(f"{told.at:.3f}: all-clear with an over sample in the last 60 s")
        if box.traits.currents and not any(note.shown is not None and note.shown <= ZERO_AMPERES for note in span):
            found.append(f"{told.at:.3f}: all-clear without a single sample at most 1 A")
    return found
