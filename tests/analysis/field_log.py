"""The field case as evcc would have logged it: commands as corpus 046 quotes them, readings of the rules' 6.4.

What nobody quoted is filled in: ids of frames, the transaction, the answers (Accepted, at once), evcc's own lines.
"""

from __future__ import annotations

from datetime import UTC, datetime

import examples

BOX = "ACTEC"
TRANSACTION = 1_759_324_000
COMMANDS = (
    ("15:12:42", "985694111", 6), ("15:12:44", "2830474359", 6), ("15:15:28", "834255345", 7),
    ("15:17:01", "1278809386", 11), ("15:19:09", "2289839452", 0),
)  # fmt: skip
"""Local time, unique id and limit, as quoted in corpus 046."""

BELIEVED = (("15:18:41", 4290), ("15:19:11", 0), ("15:19:41", 0))
"""evcc's own lines about charge power: 0 W two seconds after the stop."""


def command_text(unique_id: str, local: str, limit: int) -> str:
    """evcc's SetChargingProfile of that moment, byte for byte."""
    return examples.set_limit(unique_id, limit, examples.field_utc(local), profile_id=0, level=0)


def field_log() -> str:
    """The whole log, in local time."""
    lines: list[tuple[float, str]] = []

    def add(local: str, text: str, after: float = 0.0) -> None:
        lines.append((examples.field_utc(local) + after, text))

    def call(local: str, text: str, answer: str) -> None:
        add(local, f"recv {BOX}: {text}")
        add(local, f"send {BOX}: {answer}", 0.01)

    boot = examples.field_utc("15:12:05")
    call("15:12:05", examples.boot("b1", "AcTEC", "EV-AC22K", "V1.17.9"), examples.boot_result("b1", boot))
    call("15:12:10", examples.status("b2", "Preparing", examples.field_utc("15:12:10")), examples.result("b2"))
    for local, unique_id, limit in COMMANDS:
        add(local, f"send {BOX}: {command_text(unique_id, local, limit)}")
        add(local, f"recv {BOX}: {examples.status_result(unique_id)}", 0.01)
    started = examples.field_utc("15:12:50")
    call("15:12:50", examples.start_transaction("b3", started), examples.start_result("b3", TRANSACTION))
    call("15:12:51", examples.status("b4", "Charging", started + 1.0), examples.result("b4"))
    for number, (local, currents, powers) in enumerate(examples.FIELD_READINGS):
        text = examples.field_meter_values(f"m{number}", examples.field_utc(local), currents, powers)
        call(local, text, examples.result(f"m{number}"))
    lines += [(examples.field_utc(local), f"!charge power: {watts}W") for local, watts in BELIEVED]
    lines.sort(key=lambda line: line[0])
    return "".join(f"{_line(utc, text)}\n" for utc, text in lines)


def _line(utc: float, text: str) -> str:
    wall = datetime.fromtimestamp(utc + examples.FIELD_ZONE_SECONDS, UTC).strftime("%Y/%m/%d %H:%M:%S")
    if text.startswith("!"):
        return f"[lp-1  ] DEBUG {wall} {text[1:]}"
    return f"[ocpp  ] TRACE {wall} {text}"
