"""Charging profiles for tests: a builder with evcc's shape as default, and hypothesis strategies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st

from ocpp_watchdog.core.profiles import ChargingProfile, SchedulePeriod
from ocpp_watchdog.core.terms import ProfileKind, Purpose, RateUnit, Recurrency, TransactionId

BEGINNING = 1_759_320_000.0
"""2025-10-01 12:00:00 UTC, a Wednesday."""
DAY = 86_400.0
WEEK = 604_800.0


def utc(text: str) -> float:
    """POSIX seconds of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()


def steps(*pairs: tuple[float, float], phases: int | None = None) -> tuple[SchedulePeriod, ...]:
    """Periods from (start, limit) pairs."""
    return tuple(SchedulePeriod(start, limit, phases) for start, limit in pairs)


EVCC = ChargingProfile(
    profile_id=1,
    stack_level=0,
    purpose=Purpose.TX_DEFAULT,
    kind=ProfileKind.ABSOLUTE,
    recurrency=None,
    transaction_id=None,
    valid_from=None,
    valid_to=None,
    unit=RateUnit.AMPERES,
    start_schedule=BEGINNING - 60.0,
    duration=None,
    periods=steps((0.0, 16.0)),
)
"""16 A as evcc orders it at BEGINNING."""


def amperes(limit: float, **changes: object) -> ChargingProfile:
    """A default profile of one limit, changed as said."""
    return replace(EVCC, **{"periods": steps((0.0, limit)), **changes})  # type: ignore[arg-type]


def tx(limit: float, transaction_id: int | None = None, **changes: object) -> ChargingProfile:
    """A TxProfile with an id of its own."""
    known = None if transaction_id is None else TransactionId(transaction_id)
    return amperes(limit, **{"profile_id": 9, "purpose": Purpose.TX, "transaction_id": known, **changes})


def whole(limit: float, **changes: object) -> ChargingProfile:
    """A ChargePointMaxProfile with an id of its own."""
    return amperes(limit, **{"profile_id": 50, "purpose": Purpose.CHARGE_POINT_MAX, **changes})


def quarters(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """Numbers in steps of a quarter, whose sums are exact: a boundary is then where arithmetic says it is."""
    return st.integers(int(lowest * 4), int(highest * 4)).map(lambda number: number / 4)


def profiles(
    numbers: st.SearchStrategy[float], instants: st.SearchStrategy[float]
) -> st.SearchStrategy[ChargingProfile]:
    """Any profile that can be built from these offsets and limits, and these instants."""
    period = st.builds(SchedulePeriod, numbers, numbers, st.none() | st.integers(-1, 5))
    return st.builds(
        ChargingProfile,
        profile_id=st.integers(0, 4),
        stack_level=st.integers(-1, 3),
        purpose=st.sampled_from(Purpose),
        kind=st.sampled_from(ProfileKind),
        recurrency=st.none() | st.sampled_from(Recurrency),
        transaction_id=st.none() | st.integers(6, 8).map(TransactionId),
        valid_from=st.none() | instants,
        valid_to=st.none() | instants,
        unit=st.sampled_from(RateUnit),
        start_schedule=st.none() | instants,
        duration=st.none() | numbers,
        periods=st.lists(period, max_size=4).map(lambda found: tuple(sorted(found, key=lambda one: one.start))),
    )


ORDINARY = profiles(quarters(-10, 2 * DAY), quarters(BEGINNING - 2 * DAY, BEGINNING + 2 * DAY))
"""Profiles whose boundaries lie around BEGINNING."""
_ANY_NUMBER = st.floats(allow_nan=False)
ABSURD = profiles(_ANY_NUMBER, _ANY_NUMBER)
"""Profiles of any floats: negative, huge, infinite."""
