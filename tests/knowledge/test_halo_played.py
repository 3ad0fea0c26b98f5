"""The Halo's facts at work: for each firmware the frames are played that its facts are about, into the real judge."""

from __future__ import annotations

import json

import pytest

import examples
from core.station_kit import Desk
from ocpp_watchdog.core.decisions import Count, Ending, FactKind, NoticeKind, Record, Severity, WakeAt, Warn
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.knowledge.library import recognise

VERSIONS = (132, 152, 170, 171, 173, 177, 178, 180, 182, 183, 184, 185, 187)
HARMLESS = "http://files.example/halo_187.img"


def booted(version: int | str, policy: Policy | None = None, *connectors: int) -> Desk:
    """A Halo with this firmware that charges."""
    desk = Desk(policy, recognise=recognise)
    desk.connect()
    boots(desk, version)
    desk.begin(*connectors)
    return desk


def boots(desk: Desk, version: int | str) -> None:
    desk.says(lambda name: examples.boot(name, "Charge Amps AB", "HALO", str(version)), {"status": "Accepted"})


def asked(desk: Desk, action: str, payload: dict[str, object]) -> set[str]:
    """What was warned of when this passed; it passed, whatever was warned of."""
    before = len(desk.said)
    desk.asks(lambda name: examples.call(name, action, payload))
    told = desk.said[before:]
    assert all(isinstance(decision, Warn | Record | WakeAt | Count) for decision in told), "nothing holds it up"
    return {warn.fact for warn in told if isinstance(warn, Warn)}


def updates(desk: Desk, location: str = HARMLESS) -> set[str]:
    return asked(desk, "UpdateFirmware", {"location": location, "retrieveDate": "2026-11-21T10:00:00Z"})


@pytest.mark.parametrize("version", VERSIONS)
def test_who_it_is_and_how_it_is_judged(version: int) -> None:
    desk = booted(version)
    view, policy = desk.station.view(desk.now), desk.station.policy
    assert (view.device, view.firmware) == ("charge-amps-halo", str(version))
    assert policy.settle_seconds == (60.0 if version <= 177 else 30.0)
    assert policy.boundary_slack_seconds == (10.0 if version <= 182 else 0.0)
    assert policy.frame_gap_seconds == (0.1 if version <= 151 else 0.0)
    assert policy.status_is_evidence is (version >= 170)
    assert policy.meter_is_shared is (version <= 183)
    assert policy.zero_is_asserted is (version >= 185)
    assert policy.raise_settle_seconds == 90.0


@pytest.mark.parametrize("version", VERSIONS)
def test_an_ignored_stop_is_stopped_after_the_time_this_firmware_may_take(version: int) -> None:
    desk = booted(version)
    desk.flow(range(-57, 0, 10))
    desk.to(0)
    desk.limit(0)
    desk.flow(range(3, 100, 10))
    desk.to(94)
    stops = [t for t, action in desk.wire() if action == "RemoteStopTransaction"]
    assert stops[0] == (73.1 if version <= 151 else 73.0 if version <= 177 else 43.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_right_after_a_restart_and_without_one(version: int) -> None:
    """HALO-UPG-01: 171 and 173 want a restart just before."""
    desk = booted(version)
    desk.to(desk.t + 700)
    without = updates(desk)
    boots(desk, version)
    after_restart = updates(desk)
    again = updates(desk)
    assert ("HALO-UPG-01" in without) is (version in (171, 173))
    assert "HALO-UPG-01" not in after_restart
    assert ("HALO-UPG-01" in again) is (version in (171, 173))
    if version in (171, 173):
        worst = next(warn for warn in desk.of(Warn) if warn.fact == "HALO-UPG-01")
        assert worst.severity is Severity.CRITICAL
        assert worst.is_told


@pytest.mark.parametrize("status", ["DownloadFailed", "InstallationFailed", "Downloading"])
@pytest.mark.parametrize("version", [171, 173])
def test_an_update_after_a_failed_one_is_dangerous_even_after_a_restart(version: int, status: str) -> None:
    desk = booted(version)
    desk.says(lambda name: examples.call(name, "FirmwareStatusNotification", {"status": status}))
    boots(desk, version)
    assert "HALO-UPG-01" in updates(desk)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("target", "loses"), [(160, False), (161, True), (168, True), (169, False)])
def test_an_update_to_161_to_168_loses_the_authorization_key(version: int, target: int, loses: bool) -> None:
    """HALO-UPG-02."""
    assert ("HALO-UPG-02" in updates(booted(version), f"ftp://x/halo_{target}.img")) is loses


@pytest.mark.parametrize("version", VERSIONS)
def test_the_running_version_again_bricks_up_to_173(version: int) -> None:
    """HALO-UPG-03."""
    desk = booted(version)
    desk.to(desk.t + 700)
    assert ("HALO-UPG-03" in updates(desk, f"ftp://x/halo_{version}.img")) is (version <= 173)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_may_fail_up_to_169(version: int) -> None:
    """HALO-UPG-04 to 08."""
    old = {"HALO-UPG-04", "HALO-UPG-05", "HALO-UPG-08"} if version <= 168 else set()
    old |= {"HALO-UPG-06"} if version <= 157 else set()
    old |= {"HALO-UPG-07"} if version <= 151 else set()
    desk = booted(version)
    assert updates(desk) - {"HALO-UPG-01", "HALO-UPG-02", "HALO-UPG-03"} == old


@pytest.mark.parametrize("version", VERSIONS)
def test_asking_for_charging_limitations_crashes_183_and_184(version: int) -> None:
    """HALO-SC-17."""
    payload: dict[str, object] = {"vendorId": "com.chargeamps", "messageId": "ChargingLimitations"}
    assert (asked(booted(version), "DataTransfer", payload) == {"HALO-SC-17"}) is (version in (183, 184))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_profile_that_evcc_sends(version: int) -> None:
    """HALO-SC-02: up to 177 it may not act at once; HALO-ST-01: a stop may be disturbed up to 186."""
    desk = booted(version)
    desk.said.clear()
    desk.limit(6)
    usual = {warn.fact for warn in desk.of(Warn)}
    desk.said.clear()
    desk.limit(0)
    assert ("HALO-SC-02" in usual) is (version <= 177)
    assert ("HALO-ST-01" in {warn.fact for warn in desk.of(Warn)}) is (version <= 186)


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_that_warn(version: int) -> None:
    desk = booted(version)
    assert ("HALO-TX-01" in asked(desk, "RemoteStopTransaction", {"transactionId": 0})) is (version >= 180)
    assert ("HALO-ST-03" in asked(desk, "RemoteStopTransaction", {"transactionId": 9})) is (version <= 184)
    off = asked(desk, "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert ("HALO-ST-04" in off, "HALO-ST-06" in off) == (version <= 184, version <= 179)
    key: dict[str, object] = {"key": "AuthorizationKey", "value": "k" * 18}
    assert ("HALO-WS-29" in asked(desk, "ChangeConfiguration", key)) is (version >= 168)
    boots(desk, version)
    name = desk.number()
    desk.said.clear()
    desk.box(examples.boot(name, "Charge Amps AB", "HALO", str(version)))
    desk.central(examples.boot_result(name, desk.now.utc, "Pending"))
    assert ("HALO-WS-26" in {warn.fact for warn in desk.of(Warn)}) is (version <= 179)


@pytest.mark.parametrize("version", VERSIONS)
def test_zeros_that_the_firmware_writes_while_suspended_are_no_all_clear(version: int) -> None:
    """HALO-MET-01: from 185 an episode that only such zeros end is unproven, and the message says why."""
    desk = booted(version)
    desk.flow(range(-57, 0, 10))
    desk.to(0)
    desk.limit(0)
    desk.flow(range(3, 80, 10))
    desk.status("SuspendedEVSE")
    desk.flow(range(83, 240, 10), "0.0")
    closed = desk.facts(FactKind.EPISODE_CLOSED)
    assert [fact.text for fact in closed] == [Ending.SILENT if version >= 185 else Ending.OBEYED]
    if version >= 185:
        assert {why.fact for why in desk.notice(NoticeKind.UNPROVEN).explained} >= {"HALO-MET-01"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_current_of_the_other_outlet_convicts_nobody(version: int) -> None:
    """HALO-MET-02: up to 183 the suspended cable shows what the Schuko outlet draws."""
    desk = booted(version, None, 1, 2)
    desk.to(0)
    desk.limit(0)
    desk.status("SuspendedEVSE")
    desk.flow(range(3, 200, 10))
    assert (desk.view().episode is None) is (version <= 183)


@pytest.mark.parametrize("version", VERSIONS)
def test_silence_after_a_stop_is_explained_up_to_182(version: int) -> None:
    """HALO-MET-03."""
    known = recognise("Charge Amps AB", "HALO", str(version))
    assert ("HALO-MET-03" in {fact.id for fact in known.explain("silent")}) is (version <= 182)
    desk = booted(version)
    desk.flow(range(-57, 0, 10))
    desk.to(0)
    desk.limit(0)
    desk.status("SuspendedEVSE")
    desk.to(300)
    assert desk.notices() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_status_that_may_have_gone_missing_makes_no_reading_live(version: int) -> None:
    """HALO-SN-01: up to 169 figures that never change convict nobody by the word Charging."""
    desk = booted(version, Policy(may_question=False))
    desk.flow(range(-57, 0, 10), "6.5")
    desk.to(0)
    desk.limit(0)
    desk.flow(range(3, 100, 10), "6.5")
    assert bool(desk.written) is (version >= 170)


def test_the_firmware_is_learnt_from_the_configuration_after_a_mere_reconnect() -> None:
    desk = booted("")
    assert desk.station.policy.settle_seconds == 60.0
    name = desk.number()
    desk.central(examples.call(name, "GetConfiguration", {}))
    keys = [{"key": "FirmwareVersion", "readonly": True, "value": "180"}]
    desk.box(examples.result(name, {"configurationKey": keys}))
    assert desk.station.policy.settle_seconds == 30.0
    assert desk.station.view(desk.now).firmware == "180"


def test_the_owner_s_own_number_is_kept() -> None:
    desk = Desk(Policy(settle_seconds=20.0), recognise=lambda *said: recognise(*said).keeping({"settle_seconds"}))
    desk.connect()
    boots(desk, 170)
    assert desk.station.policy.settle_seconds == 20.0
    assert desk.station.policy.meter_is_shared is True


def test_an_alarm_names_what_is_known_of_the_device() -> None:
    desk = booted(170)
    desk.flow(range(-57, 0, 10))
    desk.to(0)
    desk.limit(0)
    desk.flow(range(3, 100, 10))
    assert [why.fact for why in desk.notice(NoticeKind.ALARM).explained] == ["HALO-SC-02", "HALO-ST-01"]


def test_after_a_restart_it_is_still_known() -> None:
    desk = booted(170)
    again = Desk(recognise=recognise)
    again.do(again.station.restore(json.loads(json.dumps(desk.station.memory(desk.now))), desk.now))
    assert again.station.view(desk.now).device == "charge-amps-halo"
    assert again.station.policy.settle_seconds == 60.0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_welded_relay_is_the_highest_alarm_from_185(version: int) -> None:
    """HALO-SN-05: no command can stop charging then."""
    desk = booted(version)
    desk.said.clear()
    payload: dict[str, object] = {"vendorId": "com.chargeamps", "messageId": "RelayWeld"}
    desk.says(lambda name: examples.call(name, "DataTransfer", payload), {"status": "Accepted"})
    found = [(warn.fact, warn.severity) for warn in desk.of(Warn)]
    assert found == ([("HALO-SN-05", Severity.CRITICAL)] if version >= 185 else [])
