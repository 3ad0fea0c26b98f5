"""What the self-test says: a sentence for everything it can find, in both languages, and an upshot that is true."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.exercise import End, Found, Part, PartReport, SelfTestView, plan
from ocpp_watchdog.core.supervision import Obstacle
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.owner import obstacle_text
from ocpp_watchdog.texts.selftest import end_lines, part_line, plan_lines, remedy
from views import ORDERED, SIX

REPORTS = [PartReport(part, 0.0 if part is Part.LIMIT else None, ORDERED) for part in Part]


@pytest.mark.parametrize(("report", "found", "language"), [*product(REPORTS, Found, Language)])
def test_every_part_can_be_told_with_much_known_and_with_little(
    report: PartReport, found: Found, language: Language
) -> None:
    little = part_line(replace(report, found=found), language)
    much = part_line(
        replace(
            report,
            found=found,
            answer="unanswered",
            seconds=3.4,
            amperes_seen=6.52,
            evidence=EvidenceClass.LIVE,
        ),
        language,
    )
    for line in (little, much):
        assert line
        assert "{" not in line
    assert part_line(report, language) == ""


@pytest.mark.parametrize(("obstacle", "language"), [*product(Obstacle, Language)])
def test_every_obstacle_has_its_sentence(obstacle: Obstacle, language: Language) -> None:
    assert "box" in obstacle_text(obstacle.value, "box", 1, language)


def seen(stop: Found | None, zero: Found | None = Found.FOLLOWED, **changes: object) -> SelfTestView:
    """A test that is over."""
    parts = (PartReport(Part.LIMIT, 0.0, found=zero), PartReport(Part.REMOTE_STOP, found=stop))
    view = SelfTestView(ConnectorId(1), ORDERED, parts, End.DONE, is_over=True, restored=True)
    return replace(view, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("found", [*Found, None])
def test_the_remedy_is_there_only_when_it_was_seen_to_work(found: Found | None) -> None:
    there = {Found.FOLLOWED, Found.UNPROVEN}
    gone = {Found.IGNORED, Found.REFUSED, Found.TRANSACTION_ONLY}
    expected = "remedy" if found in there else "no_remedy" if found in gone else "remedy_unknown"
    assert remedy(seen(found)) == expected


@pytest.mark.parametrize(
    ("zero", "line"),
    [
        (Found.FOLLOWED, "0 A is obeyed."),
        (Found.IGNORED, "0 A is IGNORED."),
        (Found.REFUSED, "0 A is REFUSED."),
        (Found.STALE, "Whether 0 A is obeyed was not shown."),
        (Found.NOTHING_TO_SEE, "Whether 0 A is obeyed was not shown."),
        (None, "Whether 0 A is obeyed was not shown."),
    ],
)
def test_the_upshot_says_of_0_amperes_what_was_seen_and_no_more(zero: Found | None, line: str) -> None:
    assert end_lines(seen(Found.FOLLOWED, zero), Language.EN)[0] == line


def test_an_end_is_told_with_its_reason_and_a_limit_that_was_not_put_back_is_told_loudly() -> None:
    assert end_lines(seen(None, is_over=False), Language.EN) == []
    for end in End:
        lines = end_lines(seen(None, end=end, restored=False), Language.EN)
        assert len(lines) == (3 if end is End.DONE else 4)
        assert lines[-1].startswith("EVCC'S LIMIT")


@pytest.mark.parametrize("language", Language)
def test_a_plan_names_every_part_in_order(language: Language) -> None:
    lines = plan_lines(plan(SIX, id_tag="T"), ("box", 1), language)
    assert [line.strip()[0] for line in lines[1:-1]] == ["1", "2", "3", "4", "5"]
    assert "Ctrl-C" in lines[-1] or "Strg-C" in lines[-1]
