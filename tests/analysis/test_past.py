"""``report`` and ``bundle``: the journal's segments as a report, by time, charge point or episode; a zip without
secrets."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from analysis.field_log import field_log
from analysis.test_verb import SECRETS, planted
from ocpp_watchdog import cli, trace
from ocpp_watchdog.analysis.bundle import safe_settings, versions
from ocpp_watchdog.analysis.past import moment
from ocpp_watchdog.provenance import Effective
from ocpp_watchdog.readers.log import LoggedFrame, LogReader
from ocpp_watchdog.readers.timeline import Timeline
from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.shell.journal import schema
from ocpp_watchdog.shell.journal.names import folder_of
from ocpp_watchdog.shell.journal.segments import Segments
from ocpp_watchdog.shell.journal.store import migrate, parsed

DAY = ("--since", "2025-10-01T00:00Z", "--until", "2025-10-02T00:00Z")


def journaled(folder: Path, text: str, name: str | None = None, session: str = "1") -> None:
    """Write the frames of a log as the journal writes them."""
    segments = Segments(folder)
    for item in LogReader("log", Timeline()).frames(text.splitlines()):
        if isinstance(item, LoggedFrame):
            box = name or item.charge_point
            line = trace.TraceLine(item.at.utc, box, item.direction, item.text, mono=item.at.mono, session=session)
            segments.add(box, item.at.utc, trace.encode(line))
    segments.write()
    segments.close()


@pytest.fixture
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of segments with the field case, and settings of this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    journaled(tmp_path / "frames", field_log())
    (tmp_path / "ocpp-watchdog.yaml").write_text(
        f"journal: sqlite:///{tmp_path / 'journal.db'}\n"
        "central_system: ws://evcc.home.example:8887\n"
        "admin: {listen: '10.20.30.40:8891', password: hunter2secret}\n"
        "webhook: {url: 'https://hooks.example/hunter2secret'}\n"
        "charge_points: {secret-box-id: {password: hunter2secret}, ACTEC: {}}\n"
    )
    return tmp_path / "frames"


def test_the_report_of_a_day_is_that_of_its_log(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", *DAY, "--output", "out.json"]) == 3
    assert "VIOLATED" in capsys.readouterr().out
    values = json.loads(Path("out.json").read_text("utf-8"))
    (station,) = values["stations"]
    assert [order["outcome"] for order in station["connectors"][0]["orders"]] == [
        "obeyed", "obeyed", "not_followed", "violated",
    ]  # fmt: skip
    assert values["sources"] == [{"name": "frames", "form": "journal", "lines": 64, "frames": 64}]


def test_a_shorter_time_shows_what_stood_then(frames: Path) -> None:
    begin, end = "2025-10-01T13:18:00Z", "2025-10-01T13:18:50Z"  # 15:18 on the wall: 11 A stand
    assert cli.run(["report", "--since", begin, "--until", end, "--output", "out.json"]) == 0
    values = json.loads(Path("out.json").read_text("utf-8"))
    (connector,) = values["stations"][0]["connectors"]
    assert [order["label"] for order in connector["orders"]] == ["11 A"]
    assert values["stations"][0]["commands"] == []
    first, last = (datetime.fromisoformat(text).timestamp() for text in (begin, end))
    assert first <= connector["chart"]["begin"] <= connector["chart"]["end"] <= last
    assert connector["chart"]["commanded"][0][1] == 11.0


def test_one_charge_point_can_be_asked_for(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journaled(frames, field_log(), name="OTHER")
    assert cli.run(["report", *DAY, "--charge-point", "OTHER"]) == 3
    told = capsys.readouterr().out
    assert "OTHER (AcTEC" in told
    assert "ACTEC (" not in told
    assert cli.run(["report", *DAY, "--charge-point", "NOBODY"]) == 2
    assert "no frames" in capsys.readouterr().err


def test_nothing_recorded_is_exit_code_2(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report"]) == 2
    assert cli.run(["report", "--frames", "/nowhere"]) == 2
    assert "/nowhere: No such file or directory" in capsys.readouterr().err
    Path("ocpp-watchdog.yaml").write_text("journal: off\n")
    assert cli.run(["report"]) == 2
    assert cli.run(["bundle"]) == 2
    assert "journal: it is off" in capsys.readouterr().err
    assert not Path("ocpp-watchdog-bundle.zip").exists()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--since", "yesterday"], "since: must be like 90m"),
        (["--since", "1h", "--until", "2h"], "since: must be before until"),
        (["--output", "out.doc"], "ends in .html"),
    ],
)
def test_a_bad_flag_is_one_line(
    frames: Path, capsys: pytest.CaptureFixture[str], flags: list[str], complaint: str
) -> None:
    assert cli.run(["report", *flags]) == 78
    assert complaint in capsys.readouterr().err


def test_times_are_written_as_people_write_them() -> None:
    assert moment("90m", 10_000.0, "since") == 10_000.0 - 5_400.0
    assert moment("7d", 1e6, "since") == 1e6 - 604_800.0
    assert moment("2025-10-01T15:00+02:00", 0.0, "since") == datetime(2025, 10, 1, 13, tzinfo=UTC).timestamp()
    local = datetime(2025, 10, 1, 13).astimezone().timestamp()
    assert moment("2025-10-01 13:00", 0.0, "since") == local
    with pytest.raises(BadSettingError, match="until"):
        moment("9999999h", 0.0, "until")


def test_an_episode_of_the_journal_names_its_time_and_charge_point(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journaled(frames, field_log(), name="OTHER")
    engine = create_engine(parsed(f"sqlite:///{tmp_path / 'journal.db'}"))
    ordered = datetime(2025, 10, 1, 13, 19, 9, tzinfo=UTC).timestamp()
    with engine.begin() as connection:
        migrate(connection)
        row = {
            "charge_point": "OTHER", "connector": 1, "number": 1, "opened_utc": ordered + 43.0, "opened_mono": 1.0,
            "ordered_utc": ordered, "ordered_mono": 1.0, "alarm_only": False, "remote_start_seen": False,
            "transaction_ended": False, "energy_is_integrated": True,
        }  # fmt: skip
        connection.execute(insert(schema.episodes).values(row))
    engine.dispose()
    assert cli.run(["report", "--episode", "1"]) == 3
    told = capsys.readouterr().out
    assert "OTHER (AcTEC" in told
    assert "ACTEC (" not in told
    assert "would have been sent" in told
    assert cli.run(["report", "--episode", "2"]) == 2
    assert "there is no episode 2" in capsys.readouterr().err


def test_what_was_really_done_comes_from_the_facts(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ordered = datetime(2025, 10, 1, 13, 19, 9, tzinfo=UTC).timestamp()
    row = {
        "charge_point": "ACTEC", "connector": 1, "at_utc": ordered + 43.0, "at_mono": 1.0, "kind": "remote_stop",
        "decided_utc": ordered + 43.0, "decided_mono": 1.0, "why": "no usable transaction id", "forced": False,
    }  # fmt: skip
    engine = create_engine(parsed(f"sqlite:///{tmp_path / 'journal.db'}"))
    with engine.begin() as connection:
        migrate(connection)
        for outcome in ("waiting", "skipped"):
            connection.execute(insert(schema.steps).values(row | {"outcome": outcome}))
    engine.dispose()
    for redact in ([], ["--redact"]):
        assert cli.run(["report", *DAY, *redact]) == 3
        told = capsys.readouterr().out
        assert "is skipped (no usable transaction id)" in told
        assert "would have been sent" not in told
        assert "waits for its turn" not in told


def test_a_journal_that_is_not_there_is_not_made(frames: Path, tmp_path: Path) -> None:
    assert cli.run(["report", *DAY]) == 3
    assert cli.run(["report", "--episode", "1"]) == 2
    assert not (tmp_path / "journal.db").exists()


def test_a_torn_line_and_a_broken_segment_spoil_nothing_else(frames: Path) -> None:
    box = frames / folder_of("ACTEC")
    (box / "2025-09-30.jsonl.gz").write_bytes(b"\x1f\x8bbroken")
    with (box / "2025-10-01.jsonl").open("a") as segment:
        segment.write('{"schemaVersion":"1.1","timest')
    assert cli.run(["report", *DAY]) == 3


# -- the bundle ----------------------------------------------------------------------------------------------------


def test_no_secret_survives_in_a_bundle(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journaled(frames, planted(), session=f"{SECRETS[2]}/7")
    assert cli.run(["bundle", *DAY, "--output", "out.zip"]) == 0
    assert "out.zip" in capsys.readouterr().out
    assert Path("out.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile("out.zip") as packed:
        files = {name: packed.read(name).decode() for name in packed.namelist()}
    assert set(files) == {
        "README.txt", "report.html", "report.md", "report-1.svg", "report-2.svg", "report.json", "frames.jsonl",
        "settings.txt", "versions.txt",
    }  # fmt: skip
    for name, text in files.items():
        for secret in (*SECRETS, "evcc.home.example", "hooks.example", str(frames.parent), "ACTEC-", '"ACTEC"'):
            assert secret not in text.replace("ACTEC-A", ""), (name, secret)
    assert "OVER" in files["report.md"]
    assert "AcTEC EV-AC22K V1.17.9" in files["report.md"]


def test_the_frames_of_a_bundle_can_be_analyzed_again(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bundle", *DAY]) == 0
    with zipfile.ZipFile("ocpp-watchdog-bundle.zip") as packed:
        lines = packed.read("frames.jsonl").decode()
    Path("frames.jsonl").write_text(lines)
    assert all(trace.decode(line) is not None for line in lines.splitlines())
    capsys.readouterr()
    assert cli.run(["analyze", "frames.jsonl"]) == 3
    assert "CP-1 (AcTEC EV-AC22K V1.17.9)" in capsys.readouterr().out


def test_settings_of_a_bundle_say_how_it_works_and_nothing_else() -> None:
    rows = [
        Effective("mode", "enforce", "default"),
        Effective("listen", "0.0.0.0:8890", "flag"),
        Effective("judge.settle_seconds", "30.0", "/etc/x.yaml"),
        Effective("charge_points", "secret-box-id", "/etc/x.yaml"),
        Effective("charge_points.secret.box-id.judge.zero_watts", "150.0", "/etc/x.yaml"),
        Effective("admin.password", "********", "environment"),
        Effective("webhook.url", "-", "default"),
        Effective("ladder.steps", "repeat_limit, remote_stop", "/etc/x.yaml"),
        Effective("ladder.after_stop", "restart", "/etc/x.yaml"),
        Effective("mqtt.user", "4711", "/etc/x.yaml"),
        Effective("mqtt.topic_prefix", "ocpp-watchdog", "default"),
    ]
    assert safe_settings(rows) == [
        ("mode", "enforce"),
        ("listen", "(set)"),
        ("judge.settle_seconds", "30.0 (file)"),
        ("charge_points", "(set) (file)"),
        ("charge_points.*.zero_watts", "150.0 (file)"),
        ("admin.password", "(set)"),
        ("webhook.url", "-"),
        ("ladder.steps", "repeat_limit, remote_stop (file)"),
        ("ladder.after_stop", "restart (file)"),
        ("mqtt.user", "(set) (file)"),
        ("mqtt.topic_prefix", "ocpp-watchdog"),
    ]


def test_versions_name_no_machine() -> None:
    import platform

    lines = versions("1.2.3")
    assert lines[0] == "ocpp-watchdog 1.2.3"
    assert any(line.startswith("aiohttp ") for line in lines)
    assert platform.node() not in "\n".join(lines) or platform.node() in ("", "localhost")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--frames", "/nowhere/at/all"), "/nowhere/at/all: No such file or directory"),
        (("--episode", "7"), "journal: an "),
        ((), "noch nichts aufgezeichnet"),
    ],
)
def test_why_there_is_nothing_is_told_in_the_language_of_the_settings(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    if "--episode" in flags:
        flags = (*flags, "--frames", str(tmp_path))
    Path("ocpp-watchdog.yaml").write_text("language: de\n")
    assert cli.run(["report", *flags]) == 2
    assert said in capsys.readouterr().err
