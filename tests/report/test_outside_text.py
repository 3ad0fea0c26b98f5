"""What comes from outside cannot become markup: charge points, frames and files may be called anything."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from analysis.log_writers import Passed, open_ocpp_trace
from analysis.survey_kit import survey_of
from ocpp_watchdog.report.document import document
from ocpp_watchdog.report.markdown import plain
from ocpp_watchdog.report.model import DeviceFact, Explain, Report, nothing_known
from ocpp_watchdog.texts.catalogue import Language

NASTY = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><script>x</script>", "[a](javascript:x)",
    "| a | b |\n# heading", "```\n</details>", "${7*7}{energy}%s", "]]><svg onload=x>",
)  # fmt: skip


def nasty_fact(_vendor: str, _model: str, _firmware: str, _language: str) -> tuple[DeviceFact, ...]:
    return tuple(DeviceFact(text, text, text, text) for text in NASTY)


def report_about(text: str, explain: Explain = nasty_fact) -> Report:
    """A box that calls itself, its device and its orders by this name."""
    utc = examples.START_UTC
    order = examples.set_limit("1", 0.0, utc).replace('"connectorId":1', f'"connectorId":1,"x":{json.dumps(text)}')
    frames = [
        Passed(utc, text, False, examples.boot(text, text, text, text)),
        Passed(utc + 1.0, text, True, order),
        Passed(utc + 2.0, text, False, examples.error("1", text, text)),
    ]
    frames += [
        Passed(utc + t, text, False, examples.meter_values(f"m{t}", examples.current_values(("6.51", "6.3")), None))
        for t in (20, 33, 45, 57)
    ]
    return survey_of(open_ocpp_trace(frames).splitlines(), explain=explain)[0]


class Tags(HTMLParser):
    """Names of the elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("text", NASTY)
def test_nothing_from_outside_becomes_an_element(text: str) -> None:
    page = document(report_about(text), "r.html", Language.EN)["r.html"]
    tags = Tags()
    tags.feed(page)
    assert not tags.seen & {"script", "img", "iframe", "object", "link", "a", "form"}
    assert not {name for name in tags.attributes if name.startswith("on")} | (
        tags.attributes & {"style", "src", "href"}
    )
    assert page.count("<style>") == page.count("</style>") == 1


def test_a_page_fetches_nothing_and_allows_its_own_style_alone() -> None:
    page = document(report_about("box", nothing_known), "r.html", Language.EN)["r.html"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"(?:src|href)=|url\(|@import", page)


@pytest.mark.parametrize("text", NASTY)
def test_nothing_from_outside_becomes_markdown(text: str) -> None:
    files = document(report_about(text), "r.md", Language.EN)
    body, fenced = [], False
    for line in files["r.md"].splitlines():
        if re.match(r"\s*`{3,}", line):
            fenced = not fenced
        elif not fenced:
            body.append(line)
    outside = "\n".join(body)
    assert not fenced
    assert not re.search(r"(?<!\\)<\w", outside)
    assert "\n# heading" not in outside
    assert not re.search(r"(?<!\\)\]\(javascript", outside)
    for name, drawing in files.items():
        if name.endswith(".svg"):
            tags = Tags()
            tags.feed(drawing)
            assert not tags.seen & {"script", "img"}
            assert "onload" not in tags.attributes


@given(st.text())
def test_plain_text_stays_on_its_line_and_shows_itself(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[<|`*\[]", re.sub(r"\\\\", "", shown))
