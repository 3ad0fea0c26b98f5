"""The limits of ``tests/data/schedule-vectors.json``, each through the whole ledger, events told as they passed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_watchdog.core.ledger import ClearProfiles, InForce, Ledger, SetProfile
from ocpp_watchdog.core.profiles import ChargingProfile, Criteria, IdScope, SchedulePeriod
from ocpp_watchdog.core.terms import ConnectorId, ProfileKind, Purpose, RateUnit, Recurrency, TransactionId
from profile_examples import utc

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[1] / "data" / "schedule-vectors.json").read_text()
)["vectors"]
EXPECTATIONS = [(vector, expected) for vector in VECTORS for expected in vector["expect"]]


def read_profile(payload: dict[str, Any]) -> ChargingProfile:
    """The vectors are well formed; ``translate.py`` reads what charge points really send."""
    plan = payload["chargingSchedule"]

    def time(holder: dict[str, Any], name: str) -> float | None:
        return utc(holder[name]) if name in holder else None

    return ChargingProfile(
        profile_id=payload["chargingProfileId"],
        stack_level=payload["stackLevel"],
        purpose=Purpose(payload["chargingProfilePurpose"]),
        kind=ProfileKind(payload["chargingProfileKind"]),
        recurrency=Recurrency(payload["recurrencyKind"]) if "recurrencyKind" in payload else None,
        transaction_id=payload.get("transactionId"),
        valid_from=time(payload, "validFrom"),
        valid_to=time(payload, "validTo"),
        unit=RateUnit(plan["chargingRateUnit"]),
        start_schedule=time(plan, "startSchedule"),
        duration=plan.get("duration"),
        periods=tuple(
            SchedulePeriod(float(period["startPeriod"]), float(period["limit"]), period.get("numberPhases"))
            for period in sorted(plan["chargingSchedulePeriod"], key=lambda period: period["startPeriod"])
        ),
    )


def answers(key: str, event: dict[str, Any]) -> Iterator[tuple[float, str, Any]]:
    """An answer is told like an event of its own; a time-out is nothing told at all."""
    verdicts = {"Accepted": True, "Unknown": None}
    if event["result"] != "timeout":
        yield utc(event["t"]), key, verdicts.get(event["result"], False)
    if "late_result" in event:
        yield utc(event["late_t"]), key, verdicts.get(event["late_result"], False)


def tell(ledger: Ledger, vector: dict[str, Any], until: float) -> None:
    """Tell everything that had happened by ``until``."""
    told: list[tuple[float, str, Any]] = []
    for number, event in enumerate(vector["events"]):
        told.append((utc(event["t"]), f"{number}", event))
        if "result" in event:
            told.extend(answers(f"{number}", event))
    for at, key, what in sorted(told, key=lambda one: one[0]):
        if at > until:
            break
        if not isinstance(what, dict):
            ledger.answered(key, what, at)
        else:
            tell_event(ledger, key, what, at)


def tell_event(ledger: Ledger, key: str, event: dict[str, Any], at: float) -> None:
    connector = ConnectorId(event.get("connectorId", 0))
    match event["type"]:
        case "set":
            ledger.requested(key, SetProfile(connector, read_profile(event["profile"])), at)
        case "clear":
            named = event["criteria"]
            purpose = Purpose(named["chargingProfilePurpose"]) if "chargingProfilePurpose" in named else None
            criteria = Criteria(named.get("id"), named.get("connectorId"), purpose, named.get("stackLevel"))
            ledger.requested(key, ClearProfiles(criteria), at)
        case "remote_start":
            ledger.remote_start_requested(key, connector, event["idTag"], read_profile(event["profile"]))
        case "tx_start":
            ledger.transaction_started(connector, None, "", at)
            ledger.transaction_identified(connector, TransactionId(event["transactionId"]))
        case "tx_stop":
            ledger.transaction_stopped(connector, at)
        case "status":
            assert event["status"] == "Available"
            ledger.available(connector)
        case "boot":
            ledger.booted()
        case unknown:
            pytest.fail(f"the vectors hold an event of type {unknown}")


def name(pair: tuple[dict[str, Any], dict[str, Any]]) -> str:
    vector, expected = pair
    return f"{vector['id']}-{expected['t'][5:19]}-connector{expected['connectorId']}"


def test_there_are_131_limits_to_check() -> None:
    assert len(EXPECTATIONS) == 131


@pytest.mark.parametrize("pair", EXPECTATIONS, ids=name)
def test_O24_the_limit_of_every_vector_is_right(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    vector, expected = pair
    at = utc(expected["t"])
    ledger = Ledger()
    tell(ledger, vector, at)
    found = ledger.in_force(ConnectorId(expected["connectorId"]), at)
    if expected["limit_a"] is None:
        assert found is None or found.limit is None
        assert expected["limit_w"] is None
        assert expected["active_profile_ids"] == []
        return
    assert found is not None
    assert found.limit is not None
    assert found.limit.amperes == pytest.approx(expected["limit_a"], abs=0.0005)
    assert found.limit.watts == pytest.approx(expected["limit_w"], abs=0.5)
    assert found.limit.number_phases == expected["number_phases"]
    assert list(found.limit.profile_ids) == expected["active_profile_ids"]
    assert found.uncertain is expected.get("uncertain", False)
    assert [limit.amperes for limit in found.possible if limit] == expected.get(
        "possible_limit_a", [pytest.approx(expected["limit_a"], abs=0.0005)]
    )
    assert found.unconfirmed is expected.get("unconfirmed", False)
    check_disputed(found, expected)


def check_disputed(found: InForce, expected: dict[str, Any]) -> None:
    """The vectors name the disputed profiles; what counts is whether the limit rests on one of them."""
    disputed = expected.get("disputed", [])
    assert found.disputed is bool(disputed)
    assert found.limit is not None
    assert set(disputed) <= set(found.limit.profile_ids)


@pytest.mark.parametrize("pair", EXPECTATIONS, ids=name)
def test_answer_does_not_depend_on_having_been_asked_before(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    vector, expected = pair
    connector = ConnectorId(expected["connectorId"])
    asked_once, asked_often = Ledger(), Ledger()
    tell(asked_once, vector, utc(expected["t"]))
    tell(asked_often, vector, utc(expected["t"]))
    for earlier in sorted(utc(other["t"]) for other in vector["expect"]):
        asked_often.in_force(connector, earlier)
    at = utc(expected["t"])
    assert asked_often.in_force(connector, at) == asked_once.in_force(connector, at)


def test_literal_reading_of_profile_ids_takes_the_limit_from_the_other_connector() -> None:
    vector = next(vector for vector in VECTORS if vector["id"] == "SV-044")
    at = utc("2025-10-01T10:01:00Z")
    ledger = Ledger(IdScope.CHARGE_POINT)
    tell(ledger, vector, at)
    first, second = ledger.in_force(ConnectorId(1), at), ledger.in_force(ConnectorId(2), at)
    assert first is not None
    assert first.limit is None
    assert second is not None
    assert second.limit is not None
    assert second.limit.amperes == 16.0


def test_O24_the_limit_is_right_at_every_second_of_the_night_in_which_clocks_change() -> None:
    """Daily below, for an hour something above it, for ten minutes something above both; 29 March 2026 in UTC, where
    the change at 01:00 is none: schedules repeat after 24 hours, whatever clocks on walls show."""
    evening = utc("2026-03-28T22:00:00Z")
    daily = _profile(1, 0, "Recurring", [(0, 16.0), (3 * 3600, 6.0)], recurrencyKind="Daily")
    hour = _profile(2, 1, "Absolute", [(0, 0.0)], validFrom="2026-03-29T00:30:00Z", validTo="2026-03-29T01:30:00Z")
    late = _profile(3, 2, "Absolute", [(0, 10.0)])
    ledger, wrong = Ledger(), []
    _accept(ledger, "1", SetProfile(ConnectorId(1), daily), evening)
    _accept(ledger, "2", SetProfile(ConnectorId(1), hour), evening)
    for second in range(30 * 3600):
        now = evening + second
        if second == 5 * 3600:
            _accept(ledger, "3", SetProfile(ConnectorId(1), late), now)
        if second == 5 * 3600 + 600:
            _accept(ledger, "4", ClearProfiles(Criteria(3, None, None, None)), now)
        ordered = 16.0 if second % 86_400 < 3 * 3600 else 6.0
        if 9_000 <= second < 12_600:
            ordered = 0.0
        if 18_000 <= second < 18_600:
            ordered = 10.0
        found = ledger.in_force(ConnectorId(1), now)
        if found is None or found.limit is None or found.limit.amperes != ordered:
            wrong.append((second, ordered, found))
    assert wrong == []


def _profile(number: int, level: int, kind: str, periods: list[tuple[int, float]], **more: str) -> ChargingProfile:
    schedule = {
        "chargingRateUnit": "A",
        "startSchedule": "2026-03-28T22:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in periods],
    }
    named = {"chargingProfileId": number, "stackLevel": level, "chargingProfilePurpose": "TxDefaultProfile"}
    return read_profile({**named, "chargingProfileKind": kind, "chargingSchedule": schedule, **more})


def _accept(ledger: Ledger, key: str, command: SetProfile | ClearProfiles, at: float) -> None:
    ledger.requested(key, command, at)
    ledger.answered(key, True, at)
