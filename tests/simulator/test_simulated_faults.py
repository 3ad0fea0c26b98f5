"""Each fault of the simulated charge point shows what its name says, in what flows and in what is told."""

from __future__ import annotations

import pytest
from simulator_stories import NAME, Story, story

from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.transcript import LogEntry

SampledValues = list[dict[str, str]]


async def stopped(tale: Story) -> float:
    """Charge, order 0 A, and wait until it is on the wire; its moment."""
    await tale.charging()
    tale.central.set_mode("off")
    await tale.until(lambda: tale.limits()[-1][1] == 0)
    return tale.limits()[-1][0]


def sampled(payload: dict[str, object]) -> SampledValues:
    """The sampled values of a MeterValues."""
    meter_value = payload["meterValue"]
    assert isinstance(meter_value, list)
    values: SampledValues = meter_value[0]["sampledValue"]
    return values


def values(payload: dict[str, object], measurand: str) -> list[str]:
    """The values of one measurand."""
    return [sample["value"] for sample in sampled(payload) if sample["measurand"] == measurand]


def answers(tale: Story, call: LogEntry) -> list[LogEntry]:
    """What the charge point answered to a CALL."""
    unique_id = call.decoded()[1]
    return [
        entry
        for entry in tale.box.log
        if entry.way == "sent" and entry.decoded()[:2] in ([3, unique_id], [4, unique_id])
    ]


def test_every_fault_that_is_asked_for_has_a_name_and_a_summary():
    wanted = {
        "none", "ignores-zero", "obeys-late", "frozen-meter", "hidden-flow", "silent-while-suspended", "silent-ignores",
        "remote-stop-ignored", "stops-transaction-keeps-flowing", "remote-stop-refused", "profile-refused",
        "profile-unanswered", "wrong-clock", "power-tenth", "invalid-json", "drops-at-stop", "slow-answers",
        "reboots-at-stop", "two-connectors",
    }  # fmt: skip
    assert wanted <= set(FAULTS)
    summaries = [faults.summary for faults in FAULTS.values()]
    assert len(set(summaries)) == len(summaries)


async def test_without_a_fault_a_stop_is_obeyed_and_told():
    async with story() as tale:
        begin = await stopped(tale)
        await tale.until(lambda: tale.box.status() == "SuspendedEVSE")
        assert tale.box.current_amperes() == 0
        register = tale.box.energy_wh()
        await tale.clock.sleep(30)
        assert tale.box.energy_wh() == register
        last = tale.samples_since(begin)[-1]
        assert values(last, "Current.Import") == ["0.00", "0.00", "0.00"]
        assert tale.central.believed_power_watts(NAME) == 0


async def test_the_field_case_stays_at_six_and_a_half_amperes_whatever_is_ordered():
    async with story("ignores-zero", central=CentralOptions(cycle_seconds=30.0)) as tale:
        await tale.charging()
        await tale.central.run_field_case(NAME, pace=0.2)
        await tale.until(lambda: tale.limits()[-1][1] == 0)
        begin, register = tale.clock.mono(), tale.box.energy_wh()
        await tale.clock.sleep(40)
        limits = [limit for _, limit in tale.limits()]
        assert [limits[index] for index in range(len(limits)) if index == 0 or limits[index] != limits[index - 1]][
            -4:
        ] == [6, 7, 11, 0]
        assert 6.4 < tale.box.current_amperes() < 6.6
        assert tale.box.energy_wh() - register > 20
        currents = [values(payload, "Current.Import") for payload in tale.samples_since(begin)]
        powers = {power for payload in tale.samples_since(begin) for power in values(payload, "Power.Active.Import")}
    assert len(currents) >= 3
    assert all(6.4 < float(each[0]) < 6.7 and 6.2 < float(each[1]) < 6.4 for each in currents)
    assert len({tuple(each) for each in currents}) == len(currents), "live digits move"
    assert powers <= {"1440", "1450", "1460", "1470", "1390", "1400", "1410", "1420", "1430"}


async def test_the_field_case_obeys_a_remote_stop():
    async with story("ignores-zero") as tale:
        await stopped(tale)
        tale.box.orders.remote_stop(tale.box.transaction_id() or 0)
        await tale.until(lambda: tale.box.current_amperes() == 0 and tale.box.log.calls("sent", "StopTransaction"))
        await tale.until(lambda: tale.box.status() == "Finishing")
        stop = tale.box.log.calls("sent", "StopTransaction")[-1]
        assert stop.payload["reason"] == "Remote"


async def test_limits_above_zero_are_obeyed_by_the_one_that_ignores_zero_only():
    async with story("ignores-zero-only") as tale:
        await tale.charging()
        tale.central.set_limit(10.0, at_once=True)
        await tale.until(lambda: 9.9 < tale.box.current_amperes() < 10.2)
        tale.central.set_mode("off")
        await tale.until(lambda: 6.4 < tale.box.current_amperes() < 6.6)


async def test_obeying_late_takes_its_time_and_then_obeys():
    async with story("obeys-late") as tale:
        begin = await stopped(tale)
        await tale.until(lambda: tale.box.current_amperes() == 0)
        assert 19 < tale.clock.mono() - begin < 60
        await tale.until(lambda: tale.box.status() == "SuspendedEVSE")


async def test_a_frozen_meter_repeats_every_digit_while_nothing_flows():
    async with story("frozen-meter") as tale:
        await stopped(tale)
        await tale.until(lambda: tale.box.current_amperes() == 0)
        begin = tale.clock.mono()
        await tale.until(lambda: len(tale.samples_since(begin)) >= 3)
        told = [[sample["value"] for sample in sampled(payload)] for payload in tale.samples_since(begin)]
        assert told[0] == told[1] == told[2]
        assert float(values(tale.samples_since(begin)[0], "Current.Import")[0]) > 5


async def test_hidden_flow_shows_only_in_the_register():
    async with story("hidden-flow") as tale:
        begin = await stopped(tale) + 5
        await tale.until(lambda: len(tale.samples_since(begin)) >= 4)
        told = tale.samples_since(begin)
        assert {value for payload in told for value in values(payload, "Current.Import")} == {"0.00"}
        assert {value for payload in told for value in values(payload, "Power.Active.Import")} == {"0"}
        registers = [int(values(payload, "Energy.Active.Import.Register")[0]) for payload in told]
        assert registers[-1] - registers[0] > 10
        assert tale.box.current_amperes() > 6
        assert tale.box.status() == "SuspendedEVSE"


@pytest.mark.parametrize(("fault", "flows"), [("silent-while-suspended", False), ("silent-ignores", True)])
async def test_silence_while_suspended_hides_obedience_and_its_opposite_alike(fault: str, flows: bool):
    async with story(fault) as tale:
        await stopped(tale)
        await tale.until(lambda: tale.box.status() == "SuspendedEVSE")
        begin = tale.clock.mono() + 2
        await tale.clock.sleep(45)
        assert tale.samples_since(begin) == []
        assert [entry for entry in tale.box.log.calls("received", "TriggerMessage") if entry.mono > begin]
        assert (tale.box.current_amperes() > 6) == flows


async def test_an_ignored_remote_stop_is_accepted_and_changes_nothing():
    async with story("remote-stop-ignored") as tale:
        await stopped(tale)
        transaction = tale.box.transaction_id()
        assert tale.box.orders.remote_stop(transaction or 0) == "Accepted"
        await tale.clock.sleep(20)
        assert tale.box.transaction_id() == transaction
        assert tale.box.current_amperes() > 6


async def test_a_refused_remote_stop_is_rejected():
    async with story("remote-stop-refused") as tale:
        await stopped(tale)
        assert tale.box.orders.remote_stop(tale.box.transaction_id() or 0) == "Rejected"


async def test_a_transaction_can_stop_without_the_current():
    async with story("stops-transaction-keeps-flowing") as tale:
        await stopped(tale)
        assert tale.box.orders.remote_stop(tale.box.transaction_id() or 0) == "Accepted"
        await tale.until(lambda: tale.box.log.calls("sent", "StopTransaction") and tale.box.status() == "Finishing")
        register, begin = tale.box.energy_wh(), tale.clock.mono()
        await tale.until(lambda: len(tale.samples_since(begin)) >= 2)
        assert tale.box.energy_wh() - register > 5
        assert "transactionId" not in tale.samples_since(begin)[-1]
        assert float(values(tale.samples_since(begin)[-1], "Current.Import")[0]) > 6


async def test_a_refused_profile_is_rejected_and_current_flows():
    async with story("profile-refused") as tale:
        await tale.until(tale.limits)
        tale.box.plug_in()
        await tale.until(lambda: tale.box.current_amperes() > 6)
        call = tale.box.log.calls("received", "SetChargingProfile")[0]
        assert [entry.payload for entry in answers(tale, call)] == [{"status": "Rejected"}]


async def test_an_unanswered_profile_stays_without_answer_and_current_flows():
    async with story("profile-unanswered") as tale:
        await tale.until(tale.limits)
        tale.box.plug_in()
        await tale.until(lambda: tale.box.current_amperes() > 6)
        assert answers(tale, tale.box.log.calls("received", "SetChargingProfile")[0]) == []


async def test_a_clock_that_is_behind_begins_a_schedule_late():
    async with story("wrong-clock") as tale:
        await tale.until(lambda: tale.limits() and tale.limits()[-1][1] == 0)
        begin = tale.limits()[-1][0]
        tale.box.plug_in()
        await tale.until(lambda: tale.box.current_amperes() > 15)
        sample = tale.box.log.calls("sent", "StatusNotification")[-1]
        assert str(sample.payload["timestamp"]) < "2026-11-20T16:02:00Z"
        await tale.until(lambda: tale.box.current_amperes() == 0)
        assert tale.clock.mono() - begin > 55


async def test_power_is_a_tenth_and_voltage_nothing_while_currents_are_right():
    async with story("power-tenth") as tale:
        begin = await stopped(tale) + 2
        await tale.until(lambda: tale.samples_since(begin))
        told = tale.samples_since(begin)[-1]
        assert all(130 <= float(value) <= 150 for value in values(told, "Power.Active.Import"))
        assert values(told, "Voltage") == ["0.0", "0.0", "0.0"]
        assert float(values(told, "Current.Import")[0]) > 6


async def test_readings_are_no_json_exactly_while_current_flows():
    async with story("invalid-json") as tale:
        await stopped(tale)
        begin = tale.clock.mono()
        await tale.until(lambda: len(spoilt(tale, begin)) >= 2)
        assert all(entry.decoded() == [] for entry in spoilt(tale, begin))
        assert tale.samples_since(begin) == []
        tale.box.unplug()
        after = tale.clock.mono() + 3
        await tale.until(lambda: tale.samples_since(after))
        assert spoilt(tale, after) == []


def spoilt(tale: Story, since: float) -> list[LogEntry]:
    """The MeterValues with a comma too much."""
    return [entry for entry in tale.box.log if entry.mono >= since and '"sampledValue":[,{' in entry.text]


async def test_the_connection_drops_at_the_stop_and_charging_goes_on():
    async with story("drops-at-stop") as tale:
        await tale.until(lambda: "connection_dropped" in tale.told())
        await tale.until(lambda: tale.told("boot_answered")[1:] and tale.central.is_connected(NAME))
        tale.box.plug_in()
        await tale.until(lambda: tale.box.current_amperes() > 6)
        assert tale.limits()[0][1] == 6
        assert 0.0 in {limit for _, limit in tale.limits()}


async def test_a_dropped_connection_ends_without_a_close_frame_and_without_an_answer():
    async with story("drops-at-stop") as tale:
        await tale.until(lambda: "disconnected" in tale.told())
        stop = tale.box.log.calls("received", "SetChargingProfile")[-1]
        assert answers(tale, stop) == []


async def test_a_reboot_at_the_stop_forgets_the_limit_and_charges_on():
    async with story("reboots-at-stop") as tale:
        await tale.until(lambda: tale.told("rebooted"))
        tale.box.plug_in()
        await tale.until(lambda: tale.told("boot_answered")[1:])
        await tale.until(lambda: tale.box.current_amperes() > 15)
        assert tale.limits()[-1][1] == 0


async def test_slow_answers_take_five_seconds_each():
    async with story("slow-answers") as tale:
        await tale.until(lambda: len(tale.box.log.calls("received")) >= 4)
        first, second = tale.box.log.calls("received")[:2]
        assert second.mono - first.mono > 4.9


async def test_of_two_connectors_one_obeys():
    options = CentralOptions(cycle_seconds=10.0, connectors=(1, 2))
    async with story("two-connectors", central=options) as tale:
        await tale.charging()
        tale.central.set_mode("off")
        await tale.until(lambda: tale.box.current_amperes(1) == 0)
        await tale.clock.sleep(10)
        assert tale.box.current_amperes(2) > 6
        assert (tale.box.status(1), tale.box.status(2)) == ("SuspendedEVSE", "Charging")


async def test_a_mute_box_is_never_set_up():
    async with story("mute-to-questions", speed=120.0) as tale:
        await tale.until(lambda: tale.told("set_up_failed"), 200)
        assert tale.clock.mono() > 118
        assert tale.limits() == []
        assert tale.box.log.calls("sent", "StatusNotification")
