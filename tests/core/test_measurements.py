"""Sampled values to readings: defaults, units, phases, and the quirks of real charge points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.measurements import Reading, Sampled, assemble
from ocpp_watchdog.core.terms import ConnectorId, Moment

NOW = Moment(utc=1_700_000_000.0, mono=5.0)
L1, L2, L3 = "L1", "L2", "L3"
NOTHING = (None, None, None)


def sample(
    value: str | float,
    measurand: str = "",
    unit: str = "",
    phase: str = "",
    context: str = "",
    *,
    encoding: str = "",
    location: str = "",
) -> Sampled:
    return value, measurand, unit, phase, context, encoding, location


def amperes(value: str | float, phase: str = "", unit: str = "A") -> Sampled:
    return sample(value, "Current.Import", unit, phase)


def watts(value: str | float, phase: str = "", unit: str = "W") -> Sampled:
    return sample(value, "Power.Active.Import", unit, phase)


def register(value: str | float, phase: str = "", unit: str = "Wh") -> Sampled:
    return sample(value, "Energy.Active.Import.Register", unit, phase)


def volts(value: str | float, phase: str = "", unit: str = "V") -> Sampled:
    return sample(value, "Voltage", unit, phase)


def read(*sampled: Sampled, connector: int = 1) -> Reading:
    reading = assemble(ConnectorId(connector), NOW, 17.0, 4, sampled)
    assert reading is not None
    return reading


def nothing(*sampled: Sampled, connector: int = 1) -> bool:
    return assemble(ConnectorId(connector), NOW, 17.0, 4, sampled) is None


# -- what a whole reading looks like ---------------------------------------------------------------------------


def test_reading_carries_everything_that_was_said() -> None:
    assert read(
        amperes("6.00", L1),
        amperes("5.97", L2),
        amperes("6.12", L3),
        sample("6.00", "Current.Offered", "A"),
        register("17137228.43"),
        sample("49.96", "Frequency"),
        watts("1349.20", L1),
        watts("1340.83", L2),
        watts("1358.10", L3),
        watts("4048.13"),
        sample("100.00", "Power.Factor", "Percent", "N"),
        sample("4140.00", "Power.Offered", "W"),
        sample("23000.00", "Temperature", "Celsius"),
        volts("226.30", L1),
        volts("224.75", L2),
        volts("223.51", L3),
        volts("3.72", "N"),
    ) == Reading(
        connector=ConnectorId(1),
        arrived=NOW,
        timestamp=17.0,
        context="Sample.Periodic",
        transaction_id=4,
        currents=(6.0, 5.97, 6.12),
        current=None,
        powers=(1349.2, 1340.83, 1358.1),
        power=4048.13,
        energy=17137228.43,
        energy_step=0.01,
        voltages=(226.3, 224.75, 223.51),
        offered_amperes=6.0,
        offered_watts=4140.0,
        digits="6/5.97/6.12",
        power_digits="1349.2/1340.83/1358.1/4048.13",
        decimals=2,
        is_dc=False,
        is_export=False,
    )


def test_highest_current_is_the_largest_of_what_is_known() -> None:
    assert read(amperes("0.1", L1), amperes("6.5", L3)).highest_current == 6.5
    assert read(amperes("19.5")).highest_current == 19.5
    assert read(watts("100")).highest_current is None


def test_reading_without_flow_is_none() -> None:
    assert nothing()
    assert nothing(volts("230", L1), sample("40", "SoC", "Percent"))
    assert nothing(amperes(""), watts("abc"))


@pytest.mark.parametrize("measurand", ["Current.Offered", "Power.Offered"])
def test_offer_alone_makes_a_reading(measurand: str) -> None:
    reading = read(sample("32", measurand))
    assert (reading.currents, reading.power, reading.energy, reading.digits, reading.decimals) == (
        NOTHING,
        None,
        None,
        "",
        0,
    )


# -- defaults and units ----------------------------------------------------------------------------------------


def test_value_alone_is_a_register_in_watt_hours() -> None:
    reading = read(sample("26"))
    assert (reading.energy, reading.context) == (26.0, "Sample.Periodic")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("A", (15.63, None, None)),
        ("mA", (0.01563, None, None)),
        ("W", (None, 15.63, None)),
        ("kW", (None, 15630.0, None)),
        ("kVA", (None, 15630.0, None)),
        ("Wh", (None, None, 15.63)),
        ("kWh", (None, None, 15630.0)),
    ],
)
def test_unit_tells_what_a_sample_without_measurand_is(
    unit: str, expected: tuple[float | None, float | None, float | None]
) -> None:
    reading = read(sample("15.630", "", unit))
    assert (reading.current, reading.power, reading.energy) == expected


@pytest.mark.parametrize("unit", ["V", "Celsius", "Percent", "kvarh"])
def test_sample_without_measurand_in_another_unit_is_no_flow(unit: str) -> None:
    assert nothing(sample("15.630", "", unit))


def test_setting_of_alfen_is_no_import() -> None:
    reading = read(sample("15.630", "", "A", "", "Sample.Periodic"), sample("16.000", "", "A", "", "CurrentMax"))
    assert (reading.current, reading.digits) == (15.63, "15.63")
    assert nothing(sample("16.000", "", "A", "", "CurrentMax"))


def test_named_import_counts_in_any_context() -> None:
    reading = read(sample("6.5", "Current.Import", "", "", "Sometimes"))
    assert (reading.current, reading.context) == (6.5, "Sometimes")


@pytest.mark.parametrize(
    ("measurand", "unit", "phase"),
    [
        ("Current.Import", "A", "L2"),
        ("current.import", "a", "l2"),
        (" CURRENT.IMPORT ", " A ", " L2 "),
        ("Current.Import", "", "L2-N"),
        ("Current.Import", "Amp", "l2-n"),
        ("Current.Import", "amps", "L2"),
    ],
)
def test_spelling_does_not_matter(measurand: str, unit: str, phase: str) -> None:
    assert read(sample("6.5", measurand, unit, phase)).currents == (None, 6.5, None)


def test_kilo_is_scaled_and_keeps_its_decimals_in_mind() -> None:
    reading = read(amperes("4.76", L1), watts("8.94", unit="kW"), register("3051.22", unit="kWh"))
    assert (reading.power, reading.power_digits) == (8940.0, "8940")
    assert (reading.energy, reading.energy_step) == (3051220.0, 10.0)


@pytest.mark.parametrize("unit", ["W", "Wh", "Furlong", "kA"])
def test_sample_in_a_unit_of_something_else_is_dropped(unit: str) -> None:
    assert nothing(amperes("6.5", unit=unit))


def test_register_may_be_in_megawatt_hours_and_voltage_in_millivolts() -> None:
    reading = read(register("3.051", unit="MWh"), volts("230500", L1, "mV"))
    assert (reading.energy, reading.voltages) == (3051000.0, (230.5, None, None))


@pytest.mark.parametrize("measurand", ["Current.Imported", "Frequency", "Energy.Active.Import.Interval", "SoC"])
def test_other_measurands_are_left_alone(measurand: str) -> None:
    assert nothing(sample("6.5", measurand))


@pytest.mark.parametrize("encoding", ["SignedData", " signeddata "])
def test_signed_data_is_never_read(encoding: str) -> None:
    assert nothing(sample("6.5", "Current.Import", "A", encoding=encoding))


def test_raw_and_unknown_formats_are_read() -> None:
    assert read(sample("6.5", "Current.Import", "A", encoding="Raw")).current == 6.5


@pytest.mark.parametrize("location", ["Outlet", "Body", "Cable", "EV"])
def test_location_of_the_connector_is_read(location: str) -> None:
    assert read(sample("6.5", "Current.Import", "A", location=location)).current == 6.5


def test_inlet_belongs_to_the_whole_charge_point_only() -> None:
    inlet = sample("63", "Current.Import", "A", location=" inlet ")
    assert read(inlet, amperes("6.5")).current == 6.5
    assert read(amperes("6.5"), inlet).current == 6.5
    assert nothing(inlet)
    assert read(inlet, connector=0).current == 63.0


def test_context_is_the_first_one_stated_beside_a_figure() -> None:
    assert read(amperes("0.0", L1), sample("1", "Voltage", "", "", "Trigger"), register("1")).context == "Trigger"
    assert read(sample("", "SoC", "", "", "Other"), sample("1", "", "", "", "Sample.Clock")).context == "Sample.Clock"


def test_context_is_short_and_printable() -> None:
    reading = read(sample("1", context="\ud800" + "x" * 100))
    assert reading.context == "?" + "x" * 39


# -- nonsense --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "absurd",
    [
        amperes("10001"),
        amperes("-0.51"),
        amperes("-16"),
        watts("10000001"),
        watts("-10000001"),
        register("1000000000001"),
        sample("-1", "Current.Offered"),
        sample("-1", "Power.Offered"),
        sample("10001", "Current.Offered"),
        amperes("Infinity"),
        amperes(float("nan")),
    ],
)
def test_absurd_figures_are_dropped(absurd: Sampled) -> None:
    assert nothing(absurd)


def test_noise_below_nought_is_no_current() -> None:
    reading = read(amperes("-0.02", L1))
    assert (reading.currents, reading.digits) == ((0.0, None, None), "-0.02")


def test_power_may_flow_back() -> None:
    assert read(watts("-8.7")).power == -8.7


def test_negative_voltage_is_dropped() -> None:
    assert read(watts("1"), volts("-1", L1)).voltages == NOTHING


# -- phases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["N", "L1-L2", "L4", "x"])
def test_other_phases_are_no_phases_of_a_current(phase: str) -> None:
    assert nothing(amperes("6.5", phase), watts("1", phase), register("1", phase))


def test_phase_currents_decide_over_the_one_without_phase() -> None:
    reading = read(amperes("19.5"), amperes("6.5", L1), amperes("6.4", L2), amperes("6.60", L3))
    assert (reading.current, reading.currents) == (None, (6.5, 6.4, 6.6))
    assert (reading.highest_current, reading.digits) == (6.6, "6.5/6.4/6.6")


def test_same_phase_twice_counts_with_the_last_and_neutral_is_preferred() -> None:
    assert read(amperes("1", L1), amperes("2", L1)).currents == (2.0, None, None)
    assert read(amperes("2", "L1-N"), amperes("1", L1)).currents == (2.0, None, None)


def test_power_of_phases_is_added_where_there_is_no_total() -> None:
    reading = read(watts("1460.1", L1), watts("1410.1", L2), watts("1410.1", L3))
    assert (reading.power, reading.powers) == (4280.3, (1460.1, 1410.1, 1410.1))
    assert reading.power_digits == "1460.1/1410.1/1410.1"


def test_missing_phase_adds_nothing() -> None:
    assert read(watts("0", L1), watts("3575", L3)).power == 3575.0


def test_total_power_is_taken_as_said() -> None:
    reading = read(watts("2876"), watts("1400", L1))
    assert (reading.power, reading.powers) == (2876.0, (1400.0, None, None))


def test_registers_of_phases_are_added_in_decimals() -> None:
    reading = read(register("100.10", L1), register("200.20", L2), register("0.30", L3))
    assert (reading.energy, reading.energy_step) == (300.6, 0.1)
    assert read(register("7", L1), register("300")).energy == 300.0


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("12345", 1.0),
        ("12340", 10.0),
        ("12300", 100.0),
        ("12000", 1000.0),
        ("1200000", 1000.0),
        ("0", 1000.0),
        ("0.000", 1000.0),
        ("7.5", 0.1),
        ("7.25", 0.01),
        ("7.125", 0.001),
        ("7.12345", 0.001),
        ("10.0", 10.0),
        ("-20", 10.0),
    ],
)
def test_step_is_the_largest_power_of_ten_that_divides_the_register(text: str, step: float) -> None:
    assert read(register(text)).energy_step == step


def test_voltages_between_phases_are_the_second_choice() -> None:
    reading = read(watts("1"), volts("398.4", "L1-L2"), volts("231", L2), volts("398.4", "L3-L1"))
    assert reading.voltages == (pytest.approx(230.0, abs=0.1), 231.0, pytest.approx(230.0, abs=0.1))


def test_offers_are_the_largest_current_and_the_sum_of_power() -> None:
    def offers(measurand: str, *phases: str) -> list[Sampled]:
        return [sample(str(number), measurand, "", phase) for number, phase in enumerate(phases, start=1)]

    reading = read(*offers("Current.Offered", L1, L2, L3), *offers("Power.Offered", L1, L2, L3))
    assert (reading.offered_amperes, reading.offered_watts) == (3.0, 6.0)
    reading = read(*offers("Current.Offered", L1, ""), *offers("Power.Offered", L1, ""))
    assert (reading.offered_amperes, reading.offered_watts) == (2.0, 2.0)


# -- the rest --------------------------------------------------------------------------------------------------


def test_decimals_are_the_most_any_current_shows() -> None:
    assert read(amperes("6.50", L1), amperes("6.25", L2), amperes("6", L3)).decimals == 2
    assert read(amperes("6.5")).decimals == 1
    assert read(amperes("6530", unit="mA")).decimals == 2
    assert read(watts("6.25")).decimals == 0


def test_direct_current_shows_in_a_high_voltage_without_phase() -> None:
    assert read(amperes("29"), volts("669")).is_dc
    assert not read(amperes("29"), volts("230")).is_dc
    assert not read(amperes("6", L1), volts("400")).is_dc
    assert not read(amperes("29"), volts("400", "L1-L2")).is_dc
    assert not read(watts("19400"), volts("669")).is_dc


def exported(value: str, measurand: str = "Current.Export", phase: str = "") -> Sampled:
    return sample(value, measurand, "", phase)


def test_exports_stand_in_where_no_import_is_named() -> None:
    reading = read(
        exported("6.5", phase=L1),
        exported("-6.40", phase=L2),
        exported("-2990", "Power.Active.Export"),
        exported("100", "Energy.Active.Export.Register"),
        volts("231", L1),
    )
    assert reading.is_export
    assert (reading.currents, reading.power, reading.energy) == ((6.5, 6.4, None), 2990.0, 100.0)
    assert (reading.digits, reading.power_digits) == ("6.5/6.4", "2990")


@pytest.mark.parametrize("import_", [amperes("0"), amperes(""), watts("0"), register("1"), sample("1")])
def test_exports_count_for_nothing_beside_an_import(import_: Sampled) -> None:
    reading = assemble(ConnectorId(1), NOW, None, None, [exported("6.5"), import_, sample("6", "Current.Offered")])
    assert reading is not None
    assert not reading.is_export
    assert reading.highest_current in (None, 0.0)


def test_reading_without_import_and_export_is_no_export() -> None:
    assert not read(sample("6", "Current.Offered"), volts("230")).is_export


def test_absurd_exports_are_dropped_too() -> None:
    assert nothing(exported("10001"))


flows = ("Current.Import", "Power.Active.Import", "Energy.Active.Import.Register", "Current.Export", "Current.Offered")
others = ("", "Voltage", "Power.Offered", "A", "W", "Wh", "kW", "L1", "L2-N", "Inlet", "SignedData", "CurrentMax")
words = st.sampled_from(flows + others) | st.text(max_size=5)


@given(
    st.lists(
        st.tuples(st.text(max_size=8) | st.floats() | st.integers(), words, words, words, words, words, words),
        max_size=8,
    ),
    st.integers(0, 2),
)
def test_assembling_never_raises_and_every_figure_is_finite(sampled: list[Sampled], connector: int) -> None:
    reading = assemble(ConnectorId(connector), NOW, None, None, sampled)
    if reading is not None:
        figures = (*reading.currents, *reading.powers, *reading.voltages, reading.current, reading.power)
        assert all(value is None or abs(value) <= 3e7 for value in (*figures, reading.offered_watts))
        assert reading.energy is None or abs(reading.energy) <= 3e12


def test_a_reading_that_comes_again_in_another_call_is_the_same_reading() -> None:
    first, again = (assemble(ConnectorId(1), NOW, 1.0, None, [amperes(6.5, L1)], unique_id=name) for name in "ab")
    assert first == again
    assert [reading and reading.unique_id for reading in (first, again)] == ["a", "b"]


def test_a_reading_can_be_taken_without_its_power() -> None:
    reading = read(amperes("6.5"), watts("448"), register("1000"))
    without = reading.without_power()
    assert (without.power, without.powers, without.power_digits) == (None, (None, None, None), "")
    assert (without.current, without.energy, without.digits) == (6.5, 1000.0, reading.digits)
