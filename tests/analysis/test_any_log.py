"""Whatever a log holds, analyze gives a report or says that there is none; it never breaks."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.field_log import field_log
from analysis.log_writers import FORMS, Passed
from analysis.survey_kit import survey_of
from ocpp_watchdog.analysis.verb import redacting
from ocpp_watchdog.knowledge.library import recognise
from ocpp_watchdog.report import terminal
from ocpp_watchdog.report.clip import clipped
from ocpp_watchdog.report.document import document
from ocpp_watchdog.report.redact import Redactor
from ocpp_watchdog.texts.catalogue import Language

LINES = field_log().splitlines()
ODD = (
    "", "[", "]", "}{", "\x00", "\u2028", "2025/10/26 02:59:59", "[ocpp  ] TRACE 0001/01/01 00:00:00 recv : [2,",
    "[ocpp  ] TRACE 9999/12/31 23:59:59 send B: [3,\"x\",{\"currentTime\":\"9999-12-31T23:59:59Z\"}]",
    json.dumps({"timestamp": "9999-12-31T23:59:59+00:00", "direction": "cp-to-csms", "raw": '[2,"a","Heartbeat",{}]'}),
    json.dumps({"timestamp": "1970-01-01T00:00Z", "direction": "csms-to-cp", "raw": "[" * 99, "meta": {"mono": 1e300}}),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> list[str]:
    """The field case with lines missing, doubled, cut, in another order, or of another kind."""
    lines = []
    for line in LINES:
        what = draw(st.integers(0, 30))
        if what == 0:
            continue
        if what == 1:
            lines.append(line[: draw(st.integers(0, len(line)))])
        elif what == 2:
            lines += [line, draw(st.sampled_from(ODD)), line]
        elif what == 3:
            at = draw(st.integers(0, len(line)))
            lines.append(line[:at] + draw(st.text(max_size=5)) + line[at:])
        else:
            lines.append(line)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(lines)))
        lines = lines[at:] + lines[:at]
    return lines


def everything(lines: list[str]) -> None:
    for change in (None, redacting(Redactor())):
        report, _ = survey_of(lines, change=change, recognise=recognise)
        list(terminal.summary(report, Language.DE))
        middle = (report.begin + report.end) / 2.0
        for part in (report, clipped(report, middle, report.end)):
            for name in ("r.md", "r.html", "r.json"):
                for text in document(part, name, Language.DE).values():
                    text.encode("utf-8", "surrogatepass")


@settings(max_examples=40, deadline=None)
@given(mutated())
def test_a_damaged_log_gives_a_report(lines: list[str]) -> None:
    everything(lines)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ODD) | st.text(), max_size=12))
def test_nonsense_gives_an_empty_one(lines: list[str]) -> None:
    everything(lines)


frames = st.builds(
    Passed,
    st.floats(-1e12, 1e12, allow_nan=False),
    st.text(max_size=8),
    st.booleans(),
    st.sampled_from([line.split(": ", 1)[1] for line in LINES if "recv" in line or "send" in line])
    | st.text(max_size=40),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(frames, max_size=12))
def test_frames_in_any_order_and_at_any_time_give_a_report(found: list[Passed]) -> None:
    everything(FORMS["open_ocpp_trace"](frame for frame in found if 0 < frame.utc < 2e11).splitlines())
