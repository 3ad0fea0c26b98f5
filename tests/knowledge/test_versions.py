"""Firmware versions: what devices really say, and ranges with inclusive ends."""

from __future__ import annotations

import pytest

from ocpp_watchdog.knowledge.versions import Version, is_within, running_version, version_of

HALO = r"(?<!\d)(1\d{2})(?!\d)"
ACTEC = r"(\d+(?:\.\d+)+)"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("177", (177,)),
        ("V1.17.9", (1, 17, 9)),
        ("fw 1.02", (1, 2)),
        ("", None),
        ("none", None),
        ("9" * 10, None),
        ("x" * 200 + "177", None),
        ("١٧٧", None),
    ],
)
def test_the_first_row_of_numbers_is_the_version(text: str, version: Version | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("said", "pattern", "version"),
    [
        ("180", HALO, (180,)),
        ("halo_fw185.img", HALO, (185,)),
        ("HALO-1234-173", HALO, (173,)),
        ("2.17", HALO, None),
        ("", HALO, None),
        ("V1.17.9", ACTEC, (1, 17, 9)),
        ("V2", ACTEC, None),
    ],
)
def test_a_device_has_its_own_pattern(said: str, pattern: str, version: Version | None) -> None:
    assert running_version(said, pattern) == version


@pytest.mark.parametrize(
    ("version", "first", "last", "expected"),
    [
        ((177,), None, "177", True),
        ((178,), None, "177", False),
        ((178,), "178", None, True),
        ((177,), "178", None, False),
        ((161,), "153", "168", True),
        ((1, 17, 9), "1.17", "1.17", True),
        ((1, 18), "1.17", "1.17", False),
        ((1, 16, 9), "1.17", None, False),
        ((5,), None, None, True),
    ],
)
def test_both_ends_of_a_range_belong_to_it(
    version: Version, first: str | None, last: str | None, expected: bool
) -> None:
    assert is_within(version, first, last) is expected


def test_single_versions_are_meant_alone() -> None:
    assert [number for number in range(170, 175) if is_within((number,), None, None, ("171", "173"))] == [171, 173]
