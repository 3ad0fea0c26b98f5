"""The chart: steps, lines that break where readings are missing, and no spike lost however many readings there are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ocpp_watchdog.analysis.strip import MOST_COLUMNS, Strip
from ocpp_watchdog.report.chart import HEIGHT, WIDTH, standalone, svg
from ocpp_watchdog.report.model import Chart, Span
from views import reading

WORDS = {"commanded": "ordered", "measured": "measured {phase}", "power": "power", "ignored": "ignored"}
START = 1_759_324_352.0


def drawn(chart: Chart) -> dict[str, list[str]]:
    """Paths by class."""
    root = ET.fromstring(svg(chart, "a title", WORDS, 7200))
    found: dict[str, list[str]] = {}
    for part in root.iter():
        if part.tag.endswith("path"):
            found.setdefault(part.attrib["class"], []).append(part.attrib["d"])
    return found


def points(*values: tuple[float, float]) -> tuple[Span, ...]:
    return tuple(Span(START + t, START + t, value, value) for t, value in values)


def chart(spans: tuple[Span, ...] = (), commanded: tuple[tuple[float, float | None], ...] = ()) -> Chart:
    steps = tuple((START + t, amperes) for t, amperes in commanded)
    return Chart(START, START + 600.0, steps, (("L1", spans),) if spans else ())


def test_the_order_is_a_step_line_to_the_end_with_gaps_where_nothing_is_ordered() -> None:
    (line, _legend) = drawn(chart(commanded=((0, 16.0), (300, 0.0), (400, None), (500, 8.0))))["commanded"]
    assert re.fullmatch(r"M[\d.]+,[\d.]+H[\d.]+V[\d.]+H[\d.]+M[\d.]+,[\d.]+H[\d.]+", line)
    assert line.endswith(f"H{WIDTH - 14:.1f}")


def test_a_line_breaks_where_readings_are_missing() -> None:
    spans = points((0, 6.0), (10, 6.1), (20, 6.0), (300, 6.0), (310, 6.2))
    line = drawn(chart(spans))["measured l1"][0]
    assert line.count("M") == 2


def test_seldom_readings_are_one_line_all_the_same() -> None:
    spans = points(*((60.0 * n, 6.0) for n in range(10)))
    assert drawn(chart(spans))["measured l1"][0].count("M") == 1


def test_a_reading_alone_can_be_seen() -> None:
    assert drawn(chart(points((5, 6.0))))["measured l1"][0].endswith("h.1")


def test_of_many_readings_the_highest_and_the_lowest_are_kept() -> None:
    strip = Strip()
    for second in range(20_000):
        amperes = 31.0 if second == 12_345 else 0.5 if second == 15_000 else 6.0
        strip.measured(START + second, reading(currents=(amperes, None, None)))
    found = strip.chart(START + 20_000)
    assert found is not None
    (name, spans) = found.phases[0]
    assert (name, len(spans) <= MOST_COLUMNS) == ("L1", True)
    assert (max(span.high for span in spans), min(span.low for span in spans)) == (31.0, 0.5)
    numbers = [float(y) for y in re.findall(r",([\d.]+)", drawn(found)["measured l1"][0])]
    assert len(numbers) < 4 * WIDTH
    assert min(numbers) < 45.0  # 31 of 32 A, near the top
    assert max(numbers) > HEIGHT - 45.0


def test_power_alone_is_drawn_as_current_and_named_so() -> None:
    strip = Strip()
    strip.measured(START, reading(currents=(None, None, None), power=6_900.0))
    strip.measured(START + 1, reading(currents=(None, None, None), power=None))
    found = strip.chart(START + 10)
    assert found is not None
    assert [(name, spans[0].high) for name, spans in found.phases] == [("P", pytest.approx(10.0))]
    assert ">power<" in svg(found, "t", WORDS)


def test_nothing_seen_is_no_chart() -> None:
    assert Strip().chart(START) is None


def test_orders_without_end_are_thinned_and_stops_are_kept() -> None:
    strip = Strip()
    for number in range(20_000):
        strip.commanded(START + number, 0.0 if number % 1_000 == 0 else 6.0 + number % 2)
    found = strip.chart(START + 20_000)
    assert found is not None
    assert len(found.commanded) <= 4_096
    assert any(amperes == 0.0 for _, amperes in found.commanded[:50])


@pytest.mark.parametrize("seconds", [1.0, 30.0, 600.0, 86_400.0, 40 * 86_400.0])
def test_every_length_of_time_has_some_ticks_and_not_too_many(seconds: float) -> None:
    found = Chart(START, START + seconds, ((START, 6.0),), ())
    labels = re.findall(r'text-anchor="middle">([^<]+)<', svg(found, "t", WORDS, 7200))
    assert 1 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)


def test_alone_it_brings_its_colours_and_is_well_formed() -> None:
    drawing = standalone(svg(chart(points((0, 6.0), (10, 7.0)), ((0, 6.0),)), "<title> & more", WORDS))
    root = ET.fromstring(drawing)
    assert root[0].tag.endswith("style")
    assert "prefers-color-scheme:dark" in (root[0].text or "")
    assert root[1].text == "<title> & more"
