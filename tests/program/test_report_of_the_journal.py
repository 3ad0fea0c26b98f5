"""The whole program stops an ignored stop; afterwards its journal tells the same story in a report and a bundle."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from leaping import lived
from test_restart_program import kept
from whole_program import BOX

from ocpp_watchdog import cli
from ocpp_watchdog.core.decisions import NoticeKind


@pytest.fixture(autouse=True)
def _writes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.shell.journal.facts.GATHER_SECONDS", 0.0)


def stopped(folder: Path) -> float:
    """An ignored stop that the proxy made happen; gives when it was over (POSIX seconds)."""

    async def story() -> float:
        async with kept(folder, "ignores-zero") as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.told(NoticeKind.ALL_CLEAR), 240.0)
            return told.clock.utc()

    return lived(story())


def test_the_journal_of_an_ignored_stop_becomes_report_and_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    end = stopped(tmp_path / "state")
    monkeypatch.chdir(tmp_path)
    Path("ocpp-watchdog.yaml").write_text(
        f"journal: sqlite:///{tmp_path}/state/journal.db\nframes: {tmp_path}/state/frames\n"
    )
    settings = ["--config", "ocpp-watchdog.yaml"]
    until = ["--until", datetime.fromtimestamp(end + 1.0, UTC).isoformat()]
    since = ["--since", datetime.fromtimestamp(end - 3_600.0, UTC).isoformat()]

    assert cli.run(["report", *settings, *since, *until, "--output", "time.json"]) == 3
    assert cli.run(["report", *settings, "--episode", "1", "--output", "episode.json"]) == 3
    assert "RemoteStopTransaction" in capsys.readouterr().out
    for name in ("time.json", "episode.json"):
        (station,) = json.loads(Path(name).read_text("utf-8"))["stations"]
        assert station["charge_point"] == BOX
        (stop,) = [order for order in station["connectors"][0]["orders"] if order["outcome"] == "violated"]
        episode = stop["episode"]
        assert (episode["evidence"], episode["ending"]) == ("flowing", "obeyed")
        assert [(step["kind"], step["outcome"]) for step in episode["steps"]] == [("remote_stop", "proved")]
        stop_sent, question = [command for command in station["commands"] if command["ours"]]
        assert (stop_sent["action"], stop_sent["answer"]) == ("RemoteStopTransaction", "Accepted")
        assert (question["action"], question["answer"]) == ("GetCompositeSchedule", "Accepted")
        assert '"chargingSchedulePeriod"' in question["answer_text"]
        assert stop_sent["text"].startswith('[2,"wd-')

    assert cli.run(["bundle", *settings, *since, *until]) == 0
    with zipfile.ZipFile("ocpp-watchdog-bundle.zip") as packed:
        frames = packed.read("frames.jsonl").decode()
        assert BOX not in frames + packed.read("report.html").decode() + packed.read("settings.txt").decode()
    assert '"ours":true' in frames
    assert '"withheld":true' in frames
