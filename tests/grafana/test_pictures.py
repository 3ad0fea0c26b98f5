"""The pictures in the docs are what the renderer draws from the series that were kept, and show what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from pictures import drawn

DOCS = Path(__file__).resolve().parents[2] / "docs"
KEPT = json.loads((DOCS / "pictures" / "series.json").read_text("utf-8"))


def test_the_pictures_are_drawn_from_the_series_beside_them() -> None:
    for name, text in drawn(KEPT).items():
        assert (DOCS / "pictures" / name).read_text("utf-8") == text, f"make pictures writes {name} anew"
        ET.fromstring(text)


def test_they_show_an_ignored_stop_from_its_order_to_its_end() -> None:
    found = drawn(KEPT)
    assert 'class="ignored"' in found["grafana-charge-point.svg"]
    for phase in ("measured L1", "measured L2", "measured L3", "ordered"):
        assert phase in found["grafana-charge-point.svg"]
    ordered = next(each["series"] for each in KEPT["series"] if "commanded_limit_amperes" in each["expression"])
    assert {value for _, value in ordered[0]["values"]} == {"6", "0"}
    measured = next(each["series"] for each in KEPT["series"] if "measured_current" in each["expression"])
    first_stopped = next(at for at, value in ordered[0]["values"] if value == "0")
    flowing = [float(value) for at, value in measured[0]["values"] if at > first_stopped]
    assert flowing[0] > 6.0
    assert flowing[-1] == 0.0


def test_every_picture_is_in_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    for picture in (DOCS / "pictures").iterdir():
        if picture.suffix in {".svg", ".png"}:
            assert f"(pictures/{picture.name})" in pages
