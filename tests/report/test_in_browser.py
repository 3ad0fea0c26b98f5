"""The HTML report in Debian's chromium: it opens, its style is allowed by its own policy, and the chart can be seen."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path

import pytest

from analysis.field_log import field_log
from analysis.survey_kit import survey_of
from ocpp_watchdog.report.document import document
from ocpp_watchdog.texts.catalogue import Language

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

COMMANDED = {"light": (0x25, 0x63, 0xEB), "dark": (0x60, 0xA5, 0xFA)}
PAPER = {"light": (0xFF, 0xFF, 0xFF), "dark": (0x0F, 0x17, 0x2A)}
PHASES = {
    "light": ((0xB4, 0x53, 0x09), (0x47, 0x55, 0x69), (0x0F, 0x76, 0x6E)),
    "dark": ((0xF5, 0x9E, 0x0B), (0xCB, 0xD5, 0xE1), (0x2D, 0xD4, 0xBF)),
}


def screenshot(folder: Path, scheme: str) -> Path:
    page = folder / "field.html"
    report, _ = survey_of(field_log().splitlines(keepends=True))
    page.write_text(document(report, page.name, Language.EN)[page.name], "utf-8")
    picture = folder / f"{scheme}.png"
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1100",
        f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}", *dark, page.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=180, capture_output=True)
    return picture


def colours(picture: Path) -> Counter[tuple[int, int, int]]:
    """How many pixels have which colour: a PNG of 8 bit RGB or RGBA, unfiltered by hand to need no library."""
    data = picture.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) in ((8, 2), (8, 6))
    pixel = 3 if kind == 2 else 4
    packed, place = b"", 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + length]
        place += 12 + length
    raw = zlib.decompress(packed)
    found: Counter[tuple[int, int, int]] = Counter()
    before = bytearray(width * pixel)
    for row in range(height):
        start = row * (width * pixel + 1)
        line = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * pixel]), before, pixel)
        found.update(zip(line[0::pixel], line[1::pixel], line[2::pixel], strict=True))
        before = line
    return found


def unfiltered(kind: int, line: bytearray, above: bytearray, pixel: int) -> bytearray:
    for index, value in enumerate(line):
        left = line[index - pixel] if index >= pixel else 0
        up = above[index]
        corner = above[index - pixel] if index >= pixel else 0
        added = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
        line[index] = (value + added) & 0xFF
    return line


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chart_is_visible(tmp_path: Path, scheme: str) -> None:
    seen = colours(screenshot(tmp_path, scheme))
    assert seen[PAPER[scheme]] > 400_000, seen.most_common(5)
    assert seen[COMMANDED[scheme]] > 800  # the step line
    assert all(seen[phase] > 150 for phase in PHASES[scheme]), seen.most_common(20)
