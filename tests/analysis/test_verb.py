"""``analyze`` from the command line: exit codes, packed logs, standard input, reports, progress, and bad input."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.field_log import field_log
from ocpp_watchdog import cli
from ocpp_watchdog.analysis import verb
from ocpp_watchdog.analysis.verb import AnalyzeOptions, Means, analyze

FIELD = field_log()
OBEYED = FIELD[: FIELD.index("2289839452") - 40].rsplit("\n", 1)[0] + "\n"
"""The field case up to the stop."""

Written = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Written:
    def written(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return written


def test_a_violation_is_exit_code_3_and_told(write: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["analyze", write("evcc.log", FIELD)]) == 3
    told = capsys.readouterr()
    assert "VIOLATED" in told.out
    assert "Orders were violated: 1 of 4." in told.out
    assert "ACTEC-A2" not in told.out  # what is known of the device belongs into the report
    assert told.err == ""


def test_a_log_without_violation_is_exit_code_0(write: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["analyze", write("evcc.log", OBEYED), "--language", "de"]) == 0
    assert "Keine Anordnung wurde nachweislich verletzt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "pack"), [("a.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.xz", lzma.compress), ("a.log", bytes)]
)
def test_packed_logs_are_read_whatever_they_are_called(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(FIELD.encode()))
    (tmp_path / "unnamed").write_bytes(pack(FIELD.encode()))
    assert cli.run(["analyze", str(tmp_path / name)]) == 3
    assert cli.run(["analyze", str(tmp_path / "unnamed")]) == 3


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pack(FIELD.encode()))))
    assert cli.run(["analyze", "-"]) == 3


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(FIELD.replace("\n", "\r\n").encode("utf-16"))
    assert cli.run(["analyze", str(tmp_path / "a.log")]) == 3


def test_rotated_files_are_one_log(write: Written, capsys: pytest.CaptureFixture[str]) -> None:
    half = FIELD.index("\n", len(FIELD) // 2) + 1
    assert cli.run(["analyze", write("1.log", FIELD[:half]), write("2.log", FIELD[half:])]) == 3
    assert "Orders were violated: 1 of 4." in capsys.readouterr().out


def test_a_charge_point_can_be_picked(write: Written, capsys: pytest.CaptureFixture[str]) -> None:
    name = write("evcc.log", FIELD)
    assert cli.run(["analyze", name, "--charge-point", "ACTEC"]) == 3
    capsys.readouterr()
    assert cli.run(["analyze", name, "--charge-point", "OTHER"]) == 2
    assert "no frame of OTHER; the log holds: ACTEC" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_a_report_is_written_and_named(write: Written, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    name = write("evcc.log", FIELD)
    report = Path(name).with_name(f"out.{ending}")
    assert cli.run(["analyze", name, "--report", str(report)]) == 3
    assert f"Report: {report}" in capsys.readouterr().out
    text = report.read_text("utf-8")
    assert "2289839452" in text
    assert str(report.parent) not in text  # a report is sent to others: no path of this machine
    if ending != "json":
        assert "ACTEC-A2" in text.replace("\\", "")
    if ending == "md":
        assert report.with_name("out-1.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("report", "complaint"), [("out.pdf", "ends in .html, .md or .json"), ("nowhere/out.md", "is no folder")]
)
def test_a_report_that_cannot_be_written_is_told_before_any_work(
    write: Written, capsys: pytest.CaptureFixture[str], report: str, complaint: str
) -> None:
    name = write("evcc.log", FIELD)
    assert cli.run(["analyze", name, "--report", str(Path(name).parent / report)]) == 78
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# heading\ntext\n", "First line that could not be placed (1): '# heading'"),
        ("", "The file is empty."),
        ('??? [2,"a","Heartbeat",{}]\n', "could not be placed (1): '??? [2"),
    ],
)
def test_what_is_not_recognised_is_exit_code_2_with_the_first_line(
    write: Written, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    assert cli.run(["analyze", write("x.log", text)]) == 2
    told = capsys.readouterr()
    assert complaint in told.err
    assert all(word in told.err for word in ("evcc", "Home Assistant", "Open OCPP Trace"))
    assert told.out == ""


@pytest.mark.parametrize("content", [b"\x28\xb5\x2f\xfd....", b"\x1f\x8bbroken", b"BZhbroken"])
def test_what_cannot_be_unpacked_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    assert cli.run(["analyze", str(tmp_path / "x")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"ocpp-watchdog: {tmp_path / 'x'}: ")


def test_a_missing_file_does_not_hide_the_others(write: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["analyze", "/nowhere.log", write("evcc.log", FIELD)]) == 3
    assert "/nowhere.log: No such file or directory" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(write: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "FRAMES_BETWEEN_LOOKS", 10)
    monkeypatch.setattr(verb, "REFRESH_BYTES", 1)
    options = AnalyzeOptions((write("evcc.log", FIELD),))
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        analyze(options, Means("0", json.loads, progress=stream), lambda _: None, lambda _: None)
    assert pipe.getvalue() == ""
    assert "100%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    unknown = Terminal()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(FIELD.encode())))
    analyze(AnalyzeOptions(("-",)), Means("0", json.loads, progress=unknown), lambda _: None, lambda _: None)
    assert "%" not in unknown.getvalue()
    assert "frames" in unknown.getvalue()


SECRETS = ("CARD77SECRET", "SN-99-SECRET", "10.20.30.40", "Erika Mustermann", "hunter2secret", "secret-box-id")


def planted() -> str:
    """The field log with secrets wherever a frame or a line can hold one."""
    tag, serial, address, name, password, box = SECRETS
    boot = (
        f'[2,"{serial}","BootNotification",{{"chargePointVendor":"AcTEC","chargePointModel":"EV-AC22K",'
        f'"chargePointSerialNumber":"{serial}","iccid":"{tag}","meterSerialNumber":"{serial}","firmwareVersion":"V1.17.9"}}]'
    )
    more = [
        boot,
        f'[2,"d1","DataTransfer",{{"vendorId":"{name}","messageId":"{address}","data":"{password}"}}]',
        f'[2,"a1","Authorize",{{"idTag":"{tag}"}}]',
        f'[2,"s1","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Charging","info":"{address}"}}]',
        f'[2,"broken {password}","{name}"',
        f'[4,"x","{tag}","{address}",{{"{password}":"{name}"}}]',
    ]
    lines = "".join(f"[ocpp  ] TRACE 2025/10/01 15:12:06 recv ACTEC: {text}\n" for text in more)
    order = f'[2,"{password}","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{password}"}}]'
    lines += f"[ocpp  ] TRACE 2025/10/01 15:12:07 send ACTEC: {order}\n"
    lines += f"[site  ] DEBUG 2025/10/01 15:12:07 user {name} at {address} logged in with {password}\n"
    first = FIELD.index("\n") + 1
    return (FIELD[:first] + lines + FIELD[first:]).replace("ACTEC:", f"{box}:").replace('"LAB"', f'"{tag}"')


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_a_redacted_report_holds_no_secret_and_the_same_verdict(
    write: Written, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    name = write("Erika Mustermann 10.20.30.40.log", planted())
    report = Path(name).with_name(f"out.{ending}")
    assert cli.run(["analyze", name, "--redact", "--report", str(report)]) == 3
    told = capsys.readouterr()
    texts = [file.read_text("utf-8") for file in report.parent.glob("out*")]
    for secret in SECRETS:
        assert all(secret not in text for text in texts), secret
        assert secret not in told.out
    assert "CP-1" in texts[0]
    assert "AcTEC EV-AC22K V1.17.9" in told.out
    assert cli.run(["analyze", name, "--redact", "--charge-point", SECRETS[-1]]) == 3


@pytest.mark.parametrize("flags", [(), ("--redact",)])
@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_no_report_shows_an_id_tag(tmp_path: Path, ending: str, flags: tuple[str, ...]) -> None:
    profile = (
        '"chargingProfile":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",'
        '"chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A",'
        '"chargingSchedulePeriod":[{"startPeriod":0,"limit":0}]}}'
    )
    frames = [
        ("csms-to-cp", f'[2,"1","RemoteStartTransaction",{{"idTag":"04A2B3C4","connectorId":1,{profile}}}]'),
        ("cp-to-csms", '[3,"1",{"status":"Accepted","idTag" : "04A2B3C4"}]'),
        ("cp-to-csms", '[2,"2","StartTransaction",{"connectorId":1,"idTag":"04A2B3C4","meterStart":1}]'),
        ("csms-to-cp", '[3,"2",{"transactionId":7,"idTagInfo":{"status":"Accepted","parentIdTag":"04A2B3C4"}}]'),
    ]
    lines = [
        json.dumps({"timestamp": f"2026-08-12T15:21:{at:02}Z", "chargePointId": "box", "direction": way, "raw": raw})
        for at, (way, raw) in enumerate(frames)
    ]
    (tmp_path / "frames.jsonl").write_text("\n".join(lines))
    report = tmp_path / f"out.{ending}"
    assert cli.run(["analyze", str(tmp_path / "frames.jsonl"), "--report", str(report), *flags]) == 0
    said = report.read_text("utf-8")
    assert "RemoteStartTransaction" in said
    assert "04A2B3C4" not in said
