"""Who is it, and what follows: matching, policy changes, hazards and explanations."""

from __future__ import annotations

import pytest

from ocpp_watchdog.core.decisions import Severity
from ocpp_watchdog.core.devices import Circumstances, Passing
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.knowledge.library import recognise, shipped
from ocpp_watchdog.knowledge.matcher import NOTHING, Applies, Known, match

UPDATE = {"location": "ftp://files.example/halo_185.img?x=1/166", "retrieveDate": "2026-11-21T10:00:00Z"}


def halo(firmware: str) -> Known:
    return recognise("Charge Amps AB", "Halo 11 kW", firmware)


def ids(known: Known, action: str, payload: dict[str, object], answer: str | None = None, **holds: object) -> set[str]:
    circumstances = Circumstances(utc=1_795_000_000.0, **holds)  # type: ignore[arg-type]
    return {danger.fact for danger in known.dangers(Passing(action, payload, circumstances, answer))}


@pytest.mark.parametrize(
    ("vendor", "model", "name"),
    [
        ("Charge Amps AB", "HALO", "charge-amps-halo"),
        ("CHARGE AMPS", "Charge Amps Halo", "charge-amps-halo"),
        ("Charge Amps AB", "Aura", ""),
        ("Other", "Halo", ""),
        ("AcTEC", "EV-AC22K", "actec-ev-ac22k"),
        ("", "", ""),
    ],
)
def test_vendor_and_model_must_both_be_meant(vendor: str, model: str, name: str) -> None:
    known = recognise(vendor, model, "180")
    assert known.name == name
    assert bool(known) is bool(name)


def test_without_a_file_nothing_is_known() -> None:
    assert match((), "Charge Amps", "Halo", "180") is NOTHING
    assert NOTHING.tune(Policy()) == Policy()
    assert NOTHING.watched == frozenset()
    assert NOTHING.explain("blind") == ()


@pytest.mark.parametrize("firmware", ["", "unknown", "4.2"])
def test_of_an_unknown_version_every_fact_may_apply(firmware: str) -> None:
    known = halo(firmware)
    assert known.version is None
    assert len(known.facts) == 94
    assert [fact.id for fact in known.facts if fact.applies is Applies.YES] == ["HALO-UPG-02"]


def test_an_unknown_version_is_judged_by_the_widest_numbers() -> None:
    assert halo("").policy_changes["settle_seconds"] == 60.0


@pytest.mark.parametrize(("firmware", "settle"), [("132", 60.0), ("177", 60.0), ("178", 30.0), ("187", 30.0)])
def test_a_default_profile_takes_longer_up_to_177(firmware: str, settle: float) -> None:
    assert halo(firmware).tune(Policy()).settle_seconds == settle


def test_a_number_is_the_least_there_should_be() -> None:
    assert halo("170").tune(Policy(settle_seconds=120.0)).settle_seconds == 120.0


def test_what_the_owner_set_is_never_changed() -> None:
    known = halo("170").keeping({"settle_seconds"})
    assert known.tune(Policy(settle_seconds=20.0)).settle_seconds == 20.0
    assert "settle_seconds" not in known.policy_changes
    assert "raise_settle_seconds" in known.policy_changes


def test_a_truth_value_is_just_that() -> None:
    actec = recognise("AcTEC", "EV-AC22K", "V1.17.9")
    assert actec.version == (1, 17, 9)
    assert actec.tune(Policy()).may_question is False


def test_the_weightiest_facts_come_first() -> None:
    weights = [str(fact.weight) for fact in halo("170").facts]
    assert weights == sorted(weights, key=["block", "warn", "adjust", "info"].index)
    assert weights[0] == "block"


def test_facts_explain_what_is_seen_in_the_words_of_the_judge() -> None:
    assert {fact.id for fact in halo("182").explain("blind")} == {"HALO-MET-03"}
    assert halo("183").explain("blind") == ()
    assert {fact.id for fact in halo("187").explain("obeyed")} == {"HALO-MET-01"}
    assert "HALO-TX-01" in {fact.id for fact in halo("187").explain("RemoteStopTransaction")}


def test_every_fact_names_where_it_can_be_read() -> None:
    assert all(source for file in shipped() for fact in halo("170").facts for source in fact.sources)
    assert "fw187" in halo("170").facts[0].sources[0]


def test_a_fact_speaks_english_where_german_is_missing() -> None:
    fact = recognise("AcTEC", "EV-AC22K", "V1.17.9").explain("settling")[0]
    assert fact.text("de") != fact.text("en")
    assert fact.text("fr") == fact.text("en")
    assert fact.advice("de") == ""


# -- dangerous commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("firmware", ["171", "173"])
def test_an_update_of_171_and_173_without_a_restart_just_before_is_dangerous(firmware: str) -> None:
    known = halo(firmware)
    assert "HALO-UPG-01" in ids(known, "UpdateFirmware", UPDATE)
    assert "HALO-UPG-01" in ids(known, "UpdateFirmware", UPDATE, since_boot_seconds=601.0)
    assert "HALO-UPG-01" not in ids(known, "UpdateFirmware", UPDATE, since_boot_seconds=60.0)
    assert "HALO-UPG-01" in ids(known, "UpdateFirmware", UPDATE, since_boot_seconds=60.0, updates_since_boot=1)
    failed = ids(known, "UpdateFirmware", UPDATE, since_boot_seconds=60.0, firmware_status="DownloadFailed")
    assert "HALO-UPG-01" in failed


@pytest.mark.parametrize("firmware", ["170", "174", "187"])
def test_other_versions_need_no_restart_before_an_update(firmware: str) -> None:
    assert "HALO-UPG-01" not in ids(halo(firmware), "UpdateFirmware", UPDATE)


@pytest.mark.parametrize(("target", "loses"), [("160", False), ("161", True), ("168", True), ("169", False)])
@pytest.mark.parametrize("firmware", ["153", "187", ""])
def test_an_update_to_161_to_168_loses_the_authorization_key(target: str, loses: bool, firmware: str) -> None:
    plain = {"location": f"https://files.example/{target}/halo_{target}.img"}
    signed = {"requestId": 1, "firmware": plain}
    assert ("HALO-UPG-02" in ids(halo(firmware), "UpdateFirmware", plain)) is loses
    assert ("HALO-UPG-02" in ids(halo(firmware), "SignedUpdateFirmware", signed)) is loses


def test_the_query_of_an_address_names_no_version() -> None:
    assert "HALO-UPG-02" not in ids(halo("170"), "UpdateFirmware", UPDATE)
    assert "HALO-UPG-02" not in ids(halo("170"), "UpdateFirmware", {})


def test_the_same_image_twice_or_the_running_version_is_dangerous_up_to_173() -> None:
    same = {"location": "http://x/halo_173.img"}
    assert "HALO-UPG-03" in ids(halo("173"), "UpdateFirmware", same, since_connect_seconds=900.0)
    assert "HALO-UPG-03" not in ids(halo("173"), "UpdateFirmware", UPDATE, since_connect_seconds=900.0)
    assert "HALO-UPG-03" in ids(halo("173"), "UpdateFirmware", UPDATE, updates_since_boot=1)
    assert "HALO-UPG-03" in ids(halo("173"), "UpdateFirmware", UPDATE, since_connect_seconds=5.0)
    assert "HALO-UPG-03" not in ids(halo("174"), "UpdateFirmware", {"location": "http://x/halo_174.img"})


@pytest.mark.parametrize(("firmware", "crashes"), [("182", False), ("183", True), ("184", True), ("185", False)])
def test_asking_for_charging_limitations_crashes_183_and_184(firmware: str, crashes: bool) -> None:
    asked = {"vendorId": "com.chargeamps", "messageId": "chargingLimitations"}
    assert ("HALO-SC-17" in ids(halo(firmware), "DataTransfer", asked)) is crashes
    assert ids(halo(firmware), "DataTransfer", {"vendorId": "x", "messageId": "networkStatus"}) == set()


def test_answers_can_be_dangerous_too() -> None:
    assert ids(halo("179"), "BootNotification", {}, "Pending") == {"HALO-WS-26"}
    assert ids(halo("179"), "BootNotification", {}, "Accepted") == set()
    assert ids(halo("179"), "BootNotification", {}) == set()
    assert ids(halo("180"), "BootNotification", {}, "Pending") == set()
    assert "HALO-ST-05" in ids(halo("184"), "ChangeAvailability", {"type": "Inoperative"}, "Scheduled")


def test_numbers_lengths_and_times_in_the_payload_count() -> None:
    def profile(**more: object) -> dict[str, object]:
        schedule = {"startSchedule": "2020-01-01T00:00:00Z", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
        return {"connectorId": 1, "csChargingProfiles": {"chargingSchedule": schedule, "chargingProfileId": 1, **more}}

    known = halo("150")
    assert "HALO-SC-14" in ids(known, "SetChargingProfile", profile(chargingProfileId=128))
    assert "HALO-SC-14" not in ids(known, "SetChargingProfile", profile(chargingProfileId=127))
    assert "HALO-SC-14" not in ids(known, "SetChargingProfile", profile(chargingProfileId=True))
    later = {"startSchedule": "2030-01-01T00:00:00Z"}
    assert "HALO-SC-12" in ids(known, "SetChargingProfile", profile(chargingSchedule=later))
    assert "HALO-SC-12" not in ids(known, "SetChargingProfile", profile())
    stop = {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}]}
    assert "HALO-ST-01" in ids(known, "SetChargingProfile", profile(chargingSchedule=stop))
    assert "HALO-ST-01" not in ids(known, "SetChargingProfile", profile())
    for length, is_odd in ((15, True), (16, False), (20, False), (21, True)):
        key = {"key": "AuthorizationKey", "value": "k" * length}
        assert ("HALO-UPG-08" in ids(known, "ChangeConfiguration", key)) is is_odd


def test_circumstances_count() -> None:
    known = halo("150")
    assert "HALO-UPG-06" in ids(known, "UpdateFirmware", UPDATE, transaction_open=True)
    assert "HALO-UPG-06" not in ids(known, "UpdateFirmware", UPDATE)
    assert "HALO-ST-06" in ids(known, "RemoteStartTransaction", {}, is_unavailable=True)
    assert "HALO-ST-06" not in ids(known, "RemoteStartTransaction", {})
    actec = recognise("AcTEC", "EV-AC22K", "V1.17.9")
    assert "ACTEC-A11" in ids(actec, "TriggerMessage", {}, since_start_seconds=4.0)
    assert "ACTEC-A11" not in ids(actec, "TriggerMessage", {}, since_start_seconds=60.0)


@pytest.mark.parametrize("payload", [{}, {"csChargingProfiles": []}, {"csChargingProfiles": 7}, {"key": ["x"]}])
def test_nonsense_in_a_payload_is_no_hazard_and_no_error(payload: dict[str, object]) -> None:
    for action in sorted(halo("").watched):
        halo("").dangers(Passing(action, payload, Circumstances(0.0)))
        halo("").dangers(Passing(action, payload, Circumstances(0.0), "Rejected"))


def test_a_danger_says_what_is_so_what_follows_and_what_to_do() -> None:
    found = halo("173").dangers(Passing("UpdateFirmware", UPDATE, Circumstances(0.0)))
    worst = next(danger for danger in found if danger.fact == "HALO-UPG-01")
    assert worst.severity is Severity.CRITICAL
    assert "destroy the charger" in worst.en
    assert "Require a restart" in worst.en
    warned = halo("150").dangers(Passing("RemoteStartTransaction", {}, Circumstances(0.0)))
    assert {danger.severity for danger in warned} == {Severity.WARNING}
