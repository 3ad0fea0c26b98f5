"""Traces made by hand: the field case as it should go, from which the wrong ones are made."""

from __future__ import annotations

import examples
from ocpp_watchdog.core.decisions import (
    Ending,
    EpisodeView,
    EvidenceClass,
    FactKind,
    Inject,
    NoticeKind,
    Notify,
    Phase,
    Record,
    Severity,
)
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment, UniqueId
from scenarios.trace import Kept, Passed, Told, Trace, Written

BEGAN = 1000.0
STOPPED = BEGAN + 43.0


def up(at: float, text: str) -> Passed:
    return Passed(at, Direction.TO_CENTRAL_SYSTEM, text)


def down(at: float, text: str) -> Passed:
    return Passed(at, Direction.TO_CHARGE_POINT, text)


def reading(at: float, number: int) -> list[Passed]:
    values = examples.current_values(("6.52", "6.30", f"6.4{number % 10}"))
    uid = f"m{number}"
    return [up(at, examples.meter_values(uid, values, examples.iso(at))), down(at + 0.002, examples.result(uid))]


def moment(at: float) -> Moment:
    return Moment(at, at)


def episode(number: int = 1, ending: Ending | None = None) -> EpisodeView:
    return EpisodeView(
        number=number,
        connector=ConnectorId(1),
        ordered=moment(BEGAN),
        order_text="",
        answer="accepted",
        deadline_mono=BEGAN + 30.1,
        opened=moment(STOPPED),
        evidence=(),
        readings=(),
        steps=(),
        energy_wh=0.0,
        energy_is_integrated=True,
        alarm_only=False,
        remote_start_seen=False,
        transaction_ended=False,
        ending=ending,
    )


def told(at: float, kind: NoticeKind, number: int = 1, ending: Ending | None = None) -> Told:
    return Told(at, Notify(kind, Severity.CRITICAL, ConnectorId(1), moment(at), episode(number, ending)))


def kept(at: float, kind: FactKind, number: int = 1) -> Kept:
    return Kept(at, Record(kind, ConnectorId(1), moment(at), episode=episode(number)))


def remote_stop(at: float, number: int = 1, transaction: int = examples.TRANSACTION) -> Written:
    uid = UniqueId(f"wd-{number:016d}")
    text = examples.call(uid, "RemoteStopTransaction", {"transactionId": transaction})
    inject = Inject(uid, "RemoteStopTransaction", text, ConnectorId(1), at + 10, is_step=True)
    return Written(at, inject, Phase.REMEDYING, EvidenceClass.LIVE, 1)


def question(at: float, number: int = 900) -> Written:
    uid = UniqueId(f"wd-{number:016d}")
    text = examples.trigger(uid)
    return Written(at, Inject(uid, "TriggerMessage", text, ConnectorId(1), at + 10, is_step=False), None, None, None)


def right() -> Trace:
    """The field case as it should go: stop at 1000, answered, ignored; RemoteStop at 1043; all-clear at 1110."""
    trace = Trace(links=[(0.0, True)])
    trace.passed += [up(900.0, examples.start_transaction("s", 900.0)), down(900.1, examples.start_result("s"))]
    trace.passed += [up(900.2, examples.status("c", "Charging", 900.0)), down(900.3, examples.result("c"))]
    for number in range(8):
        trace.passed += reading(BEGAN - 77.0 + 10 * number, number)
    trace.passed.append(down(BEGAN, examples.set_limit("p", 0, BEGAN)))
    trace.passed.append(up(BEGAN + 0.1, examples.status_result("p")))
    for number in range(5):
        trace.passed += reading(BEGAN + 3.0 + 10 * number, 10 + number)
    trace.told.append(told(STOPPED, NoticeKind.ALARM))
    trace.kept.append(kept(STOPPED, FactKind.EPISODE_OPENED))
    trace.written.append(remote_stop(STOPPED + 0.002))
    trace.held.append((STOPPED + 0.002, STOPPED + 0.1))
    trace.told.append(told(BEGAN + 110, NoticeKind.ALL_CLEAR, ending=Ending.OBEYED))
    trace.kept.append(kept(BEGAN + 110, FactKind.EPISODE_CLOSED))
    return trace
