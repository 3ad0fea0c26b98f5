"""What README, CHANGELOG and docs say holds: commands, defaults, names, links, and the limits that are admitted."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import examples
from ocpp_watchdog import __version__, cli
from ocpp_watchdog.core.decisions import (
    Decision,
    EvidenceClass,
    EvidenceRecord,
    Inject,
    Mode,
    NoticeKind,
    Notify,
    Phase,
    Severity,
)
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Direction
from ocpp_watchdog.provenance import effective
from ocpp_watchdog.settings import USUAL_FILES, load
from ocpp_watchdog.shell.journal import facts, frames, journal
from ocpp_watchdog.shell.metrics import Metrics, RelayNumbers
from ocpp_watchdog.shell.metrics.document import document
from ocpp_watchdog.shell.notify import message
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.web import api, gate
from ocpp_watchdog.simulator.faults import FAULTS
from shell_fakes import FakeClock
from views import ORDERED, connector_view, episode_view, reading, station_view

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
WEBHOOK = (ROOT / "docs" / "webhook.md").read_text("utf-8")
TEXTS = [ROOT / "README.md", ROOT / "README.de.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
VERBS = set(cli.VERBS)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


# -- commands ----------------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def shell_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", README)) | {line.split()[1] for line in shell_lines()}
    assert {"demo", "test", "coverage"} <= named
    assert named <= make_targets()


def test_the_two_commands_stand_alone_in_their_block() -> None:
    assert "```sh\nmake demo\nmake test\n```" in README


def test_every_flag_handed_to_the_demo_is_one_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    given = [shlex.split(found) for found in re.findall(r'make demo ARGS="?([^"`\n]*)"?', README)]
    assert len(given) >= 4
    assert cli.run(["demo", "--help"]) == 0
    known = set(re.findall(r"--[a-z]+", capsys.readouterr().out))
    for words in given:
        assert {word for word in words if word.startswith("--")} <= known
        if "--fault" in words:
            assert words[words.index("--fault") + 1] in FAULTS
    assert set(re.findall(r"--fault ([a-z-]+)", README)) <= set(FAULTS)


def test_every_command_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"`ocpp-watchdog ([a-z-]+(?: (?:charge-point|central-system))?)", README + CHANGELOG))
    assert {verb.split()[0] for verb in named} == VERBS
    for verb in named:
        assert cli.run([*verb.split(), "--help"]) == 0
        assert verb.split()[-1] in capsys.readouterr().out


def test_the_german_page_says_nothing_that_the_english_one_does_not() -> None:
    german = (ROOT / "README.de.md").read_text("utf-8")
    assert {verb.split()[0] for verb in re.findall(r"`ocpp-watchdog ([a-z-]+)", german)} <= VERBS
    for moment in (":12, :22, :32, :42", "15:19:09", "15:19:11", "15:19:52"):
        assert moment in german
        assert moment in README
    bullets = [
        page.count("\n- ") for page in (_section(german, "Was es nicht kann"), _section(README, "What it cannot do"))
    ]
    assert 0 < bullets[0] <= bullets[1]


def _section(page: str, heading: str) -> str:
    return page.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_flag_of_run_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["run", "--help"]) == 0
    known = capsys.readouterr().out
    for flag in ("--config", "--admin.listen", "--central-system", "--mode"):
        assert flag in README
        assert flag in known


# -- settings and metrics ----------------------------------------------------------------------------------------


def test_the_table_of_settings_says_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", ())
    defaults = {row.name: row.value for row in effective(load())}
    table = README.partition("| setting | default | |")[2].partition("\n\n")[0]
    said = re.findall(r"^\| `([a-z_.]+)` \| (?:`([^`]+)`)? ?\|", table, re.MULTILINE)
    assert len(said) == 15
    for name, value in said:
        assert defaults[name] == (value or "-"), name


def test_the_places_of_the_settings_file_are_those_that_are_looked_at() -> None:
    for path in USUAL_FILES:
        assert str(path) in README


def test_the_page_of_metrics_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text("utf-8") == document(), "`make docs` writes it anew"


JOURNAL_SERIES = (
    *("journal_written", "journal_dropped", "journal_failures"),
    *("journal_size_bytes", "journal_oldest_unwritten_timestamp_seconds"),
)


def exported() -> dict[str, set[str]]:
    """Every metric that is there with its labels, as Prometheus reads it."""
    registry, tally = CollectorRegistry(), Tally()
    tally.ways = ("webhook",)
    relay = RelayNumbers({"charge_point": 0}, {"silent": 0})
    view = station_view(connector_view())
    told: dict[str, dict[tuple[str, ...], float]] = {
        "sessions": {("box",): 1},
        "last_message_timestamp_seconds": {("box",): 1.0},
    }
    told |= {name: {("frames",): 0.0} for name in JOURNAL_SERIES}
    build = {"version": "1", "python": "3"}
    registry.register(Metrics(FakeClock(), tally, lambda: [lambda _: view], lambda: relay, build, told=(lambda: told,)))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            name = sample.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
            found.setdefault(name, set()).update(set(sample.labels) - {"le"})
    return found


def test_the_page_of_metrics_is_complete_and_right() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(ocpp_watchdog_\w+)` \| (\w+) \| (.*?) ?\|", page, re.MULTILINE)
    assert {name: set(filter(None, labels.split(", "))) for name, _, labels in rows} == exported()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_metric_that_a_text_names_exists(path: Path) -> None:
    named = set(re.findall(r"\b(ocpp_watchdog_\w+)", path.read_text("utf-8")))
    assert named <= set(exported())


# -- links, schema, example --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_decisions_are_numbered_without_gaps_and_say_question_choice_and_cost() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        assert all(word in text for word in ("**Question.**", "**Choice.**", "**Cost.**")), page.name


def test_the_example_of_the_web_hook_is_what_is_sent() -> None:
    block = re.search(r"```json\n(.*?)```", WEBHOOK, re.DOTALL)
    assert block is not None
    example = json.loads(block.group(1))
    schema = json.loads((ROOT / "docs" / "webhook.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(example)
    seen = reading(energy=None)
    evidence = EvidenceRecord(ORDERED.later(43.0), ORDERED.mono + 43.0, EvidenceClass.LIVE, None, seen)
    episode = episode_view(readings=(seen,), evidence=(evidence,))
    alarm = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED.later(43.0), episode)
    sent = message.notice("ACTEC-1", alarm)
    for body in (sent, example):
        for language, text in body["text"].items():
            body["text"][language] = re.sub(r"\d\d:19:09", "<time>", text)  # the wall clock of whoever runs this
    assert sent == example


def test_every_kind_of_notice_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", WEBHOOK, re.MULTILINE))
    about_ourselves = {"degraded", "duplicate", "unanswered", "danger", "test_alarm", "undelivered", "still_open"}
    assert explained - {"kind"} == {str(kind) for kind in NoticeKind} | about_ourselves


def test_every_extra_that_a_text_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    texts = [*TEXTS, ROOT / "deploy" / "ocpp-watchdog.yaml"]
    said = "\n".join(path.read_text("utf-8") for path in texts)
    lists = re.findall(r"pipx? install [^\n`]*?\[([\w,]+)\]", said) + re.findall(r"extras? `(\w+)`", said)
    named = {name for names in lists for name in names.split(",")}
    assert {"apprise", "fast", "mqtt", "postgresql"} <= named
    assert named <= set(extras)


def test_the_container_has_the_extras_that_the_page_on_installing_says() -> None:
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    built = re.search(r'pip install [^"]*"\.\[([\w,]+)\]"', (ROOT / "deploy" / "Dockerfile").read_text("utf-8"))
    assert built is not None
    said = re.search(r"The container has ([^.]*)\.", page)
    assert said is not None
    assert re.findall(r"`(\w+)`", said[1]) == built[1].split(",")


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"({__version__})" in CHANGELOG or f"## {__version__}" in CHANGELOG


def test_the_continuous_integration_runs_what_the_readme_promises() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for command in (
        "make style",
        "make types",
        "make test",
        "make coverage",
        "make test-alerting",
        "make demo ARGS=--once",
    ):
        assert command in script


@pytest.mark.parametrize("path", [*TEXTS, ROOT / "deploy" / "ocpp-watchdog.yaml"], ids=lambda path: path.name)
def test_no_text_names_a_path_of_a_machine(path: Path) -> None:
    assert not re.search(r"/(?:home|root|work|tmp|Users)/", path.read_text("utf-8"))


def test_yaml_in_texts_is_valid() -> None:
    for path in TEXTS:
        for block in re.findall(r"```yaml\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
            assert yaml.safe_load(block)


# -- what it cannot do -------------------------------------------------------------------------------------------

UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT


class Evening:
    """A judge alone with a charge point that charges, and what it decides. Times are seconds since the stop order."""

    def __init__(self, mode: Mode = Mode.ENFORCE) -> None:
        self.clock = examples.FakeClock()
        numbers = iter(range(10**6))
        self.station = Station(ChargePointId("box"), Policy(mode=mode), json.loads, lambda: f"wd-{next(numbers):016d}")
        self.decided: list[Decision] = list(self.station.connected(self.clock.now()))
        self.number = 0
        self.ask(UP, "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0}, {"transactionId": 7})
        self.status("Charging")
        self.order(16)
        for _ in range(6):
            self.meter("6")
            self.wait(10)

    def ask(self, direction: Direction, action: str, payload: dict[str, object], answer: dict[str, object]) -> None:
        self.number += 1
        now = self.clock.now()
        self.decided += self.station.receive(direction, examples.call(str(self.number), action, payload), now)
        self.decided += self.station.receive(direction.back, examples.result(str(self.number), answer), now)

    def order(self, amperes: float) -> None:
        period = {"startPeriod": 0, "limit": amperes}
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": examples.iso(self.clock.utc - 60),
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [period],
            },
        }
        payload: dict[str, object] = {"connectorId": 1, "csChargingProfiles": profile}
        self.ask(DOWN, "SetChargingProfile", payload, {"status": "Accepted"})

    def status(self, status: str) -> None:
        payload: dict[str, object] = {"connectorId": 1, "errorCode": "NoError", "status": status}
        self.ask(UP, "StatusNotification", payload, {})

    def meter(self, amperes: str) -> None:
        samples = [{"value": amperes, "measurand": "Current.Import", "phase": phase} for phase in examples.PHASES]
        value = {"timestamp": examples.iso(self.clock.utc), "sampledValue": samples}
        self.ask(UP, "MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [value]}, {})

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.decided += self.station.tick(self.clock.advance(1))

    @property
    def stops(self) -> list[Inject]:
        return [one for one in self.decided if isinstance(one, Inject) and one.is_step]

    @property
    def phase(self) -> Phase:
        return self.station.view(self.clock.now()).connectors[0].phase


def test_a_meter_that_repeats_whole_amperes_while_charging_is_believed() -> None:
    evening = Evening()
    evening.order(0)
    for _ in range(6):
        evening.meter("6")
        evening.wait(10)
    assert {stop.action for stop in evening.stops} == {"RemoteStopTransaction"}


def test_a_silent_wallbox_that_says_suspended_is_blind_and_not_convicted() -> None:
    evening = Evening()
    evening.order(0)
    evening.status("SuspendedEVSE")
    evening.wait(120)
    assert evening.phase is Phase.BLIND
    assert evening.stops == []


def test_more_than_a_limit_above_zero_is_shown_and_not_touched() -> None:
    evening = Evening()
    evening.order(6)
    for _ in range(12):
        evening.meter("16.4")
        evening.wait(10)
    assert evening.phase is Phase.VIOLATING
    assert evening.stops == []


def test_after_a_restart_without_a_journal_nothing_is_known_until_something_is_ordered() -> None:
    station = Station(ChargePointId("box"), Policy(), json.loads, lambda: "wd-0000000000000000")
    clock = examples.FakeClock()
    station.connected(clock.now())
    assert station.view(clock.now()).connectors[0].phase is Phase.UNKNOWN


def test_a_restart_forgets_no_ignored_stop_and_readings_count_again_after_half_a_minute() -> None:
    evening = Evening()
    evening.order(0)
    while not evening.stops:
        evening.meter("6.4")
        evening.wait(10)
    kept = json.loads(json.dumps(evening.station.memory(evening.clock.now())))
    evening.station = Station(ChargePointId("box"), Policy(), json.loads, lambda: "wd-0000000000009999")
    evening.decided = [
        *evening.station.restore(kept, evening.clock.now()),
        *evening.station.connected(evening.clock.now()),
    ]
    assert evening.station.view(evening.clock.now()).connectors[0].episode is not None
    for _ in range(3):
        evening.meter("6.4")
        evening.wait(10)
    assert evening.stops == []
    evening.meter("6.4")
    assert len(evening.stops) == 1


def test_who_only_observes_sends_nothing() -> None:
    evening = Evening(Mode.OBSERVE)
    evening.order(0)
    for _ in range(12):
        evening.meter("6.4")
        evening.wait(10)
    assert evening.phase is Phase.VIOLATING
    assert not [one for one in evening.decided if isinstance(one, Inject)]


# -- numbers that stand in sentences -----------------------------------------------------------------------------


def sentence(page: str, words: str) -> bool:
    """Whether the page says this, wherever its lines break."""
    return words in " ".join((ROOT / page).read_text("utf-8").split())


def test_numbers_of_the_judge_that_the_readme_says_are_its_own() -> None:
    policy = Policy()
    assert sentence("README.md", "A stop has 30 s to show after its answer (10 s are waited for one).")
    assert (policy.settle_seconds, policy.answer_seconds) == (30.0, 10.0)
    assert sentence("README.md", "Two readings above 1 A after that, at least 8 s apart")
    assert (policy.zero_amperes, policy.confirm_span_seconds) == (1.0, 8.0)
    assert sentence("README.md", "at most 3 in 15 minutes and at least 30 s apart")
    assert policy.remote_stop_budget == 3
    assert (policy.remote_stop_window_seconds, policy.remote_stop_spacing_seconds) == (900.0, 30.0)


def test_numbers_of_the_pages_and_of_the_journal_are_those_of_the_code() -> None:
    assert sentence("docs/api.md", "ten of them within a minute from one address")
    assert (gate.MOST_WRONG, gate.WINDOW_SECONDS, gate.WRONG_PASSWORD_SECONDS) == (10, 60.0, 1.0)
    assert sentence("docs/api.md", "`too_slow` (5 s), `too_large` (16 KiB)")
    assert (api.BODY_SECONDS, api.BODY_BYTES) == (5.0, 16 * 1024)
    assert sentence("docs/api.md", "`?limit=` (50, at most 1000)")
    assert (api.USUAL_EPISODES, api.MOST_EPISODES) == (50, 1000)
    assert sentence("docs/journal.md", "to the operating system within a quarter of a second, on the disk within one")
    assert frames.ROUND_SECONDS == 0.25
    assert frames.ROUND_SECONDS + frames.SYNC_SECONDS <= 1.0
    assert sentence(
        "docs/journal.md", "up to 20,000 facts wait, readings being given up first, and up to 20,000 frames"
    )
    assert facts.MOST_QUEUED == frames.MOST_QUEUED == 20_000
    assert sentence("docs/journal.md", "frames or 64 MiB")
    assert frames.MOST_QUEUED_BYTES == 64 * 2**20
    assert sentence("docs/journal.md", "It waits for that for half a second at most")
    assert journal.COMMIT_SECONDS == 0.5


def test_a_message_is_tried_for_as_long_as_the_readme_says() -> None:
    assert sentence("README.md", "A message is tried again for five minutes")
    settings = load()
    assert {way.give_up_seconds for way in (settings.webhook, settings.ntfy, settings.apprise)} == {300.0}
