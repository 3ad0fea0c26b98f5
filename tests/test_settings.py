"""Settings: file below environment below flags, unknown keys are errors, secrets are never shown."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from ocpp_watchdog.core.decisions import Mode, StepKind
from ocpp_watchdog.core.policy import AfterStop, Policy, SetBack
from ocpp_watchdog.core.repairs import FOR_CENTRAL_SYSTEM, FOR_CHARGE_POINT, Repairs
from ocpp_watchdog.parts import Policies
from ocpp_watchdog.provenance import changes, effective
from ocpp_watchdog.setting_kinds import is_loopback, split_address
from ocpp_watchdog.setting_repairs import AnswerableAction
from ocpp_watchdog.settings import (
    BadSettingError,
    Judge,
    JudgeOverrides,
    Settings,
    fixed,
    load,
)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings file and no variable of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", (Path("ocpp-watchdog.yaml"),))
    for name in ("CONFIG", "MODE", "ADMIN__LISTEN", "WEBHOOK__URL"):
        monkeypatch.delenv(f"OCPP_WATCHDOG_{name}", raising=False)


def write(text: str, name: str = "ocpp-watchdog.yaml") -> Path:
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def told(settings: Settings) -> dict[str, tuple[str, str]]:
    return {row.name: (row.value, row.source) for row in effective(settings)}


def test_without_anything_the_defaults_of_the_design_hold() -> None:
    settings = load()
    assert settings.listen == "0.0.0.0:8890"
    assert settings.admin.listen == "127.0.0.1:8891"
    assert settings.central_system == "ws://127.0.0.1:8887"
    assert settings.mode is Mode.ENFORCE
    assert settings.connect_timeout == 10
    assert settings.max_message == 4 * 1024 * 1024
    assert settings.stall == 45
    assert settings.charge_points == {}


def test_the_file_is_below_the_environment_and_both_are_below_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    write("stall: 1\nconnect_timeout: 1\nmode: observe\nadmin: {listen: '127.0.0.1:1'}\n")
    monkeypatch.setenv("OCPP_WATCHDOG_CONNECT_TIMEOUT", "2")
    monkeypatch.setenv("OCPP_WATCHDOG_ADMIN__LISTEN", "127.0.0.1:2")
    settings = load(admin={"listen": "127.0.0.1:3"})
    assert (settings.stall, settings.connect_timeout, settings.admin.listen) == (1, 2, "127.0.0.1:3")
    table = told(settings)
    assert table["stall"] == ("1.0", "ocpp-watchdog.yaml")
    assert table["mode"] == ("observe", "ocpp-watchdog.yaml")
    assert table["connect_timeout"] == ("2.0", "environment")
    assert table["admin.listen"] == ("127.0.0.1:3", "flag")
    assert table["listen"] == ("0.0.0.0:8890", "default")


def test_a_section_may_come_from_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    write("webhook: {queue: 7}\n")
    monkeypatch.setenv("OCPP_WATCHDOG_WEBHOOK__TRY_SECONDS", "3")
    settings = load()
    assert (settings.webhook.queue, settings.webhook.try_seconds) == (7, 3)


def test_the_file_is_named_by_flag_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write("stall: 1\n", "one.yaml")
    write("stall: 2\n", "two.yaml")
    monkeypatch.setenv("OCPP_WATCHDOG_CONFIG", "one.yaml")
    assert load().stall == 1
    assert load(config="two.yaml").stall == 2


def test_an_empty_file_and_an_empty_section_change_nothing() -> None:
    write("")
    assert load() == load()
    write("webhook:\n")
    assert load().webhook.queue == 100


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().stall = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lissten: 1\n", "lissten: there is no such setting"),
        ("admin: {lissten: 1}\n", "admin.lissten: there is no such setting"),
        ("mode: destroy\n", "mode: Input should be 'enforce' or 'observe'"),
        ("listen: nowhere\n", "listen: must be host:port"),
        ("listen: 'host:99999'\n", "listen: must be host:port"),
        ("central_system: http://evcc\n", "central_system: must be ws://host:port or wss://host:port"),
        ("central_system: ws://me:geheim@evcc\n", "central_system: must be ws://host:port without user"),
        ("webhook: {url: 'geheim'}\n", "webhook.url: must be an http:// or https:// address"),
        (
            "admin: {listen: '0.0.0.0:1'}\n",
            "admin.listen: not a loopback address, so admin.password or admin.trusted_proxy must be set",
        ),
        ("admin: {trusted_proxy: supervisor}\n", "admin.trusted_proxy: must be an address in numbers"),
        ("tls: {certificate: a.pem}\n", "tls: certificate and key belong together"),
        ("judge: {remote_stop_spacing_seconds: 5}\n", "judge.remote_stop_spacing_seconds: Input should be greater"),
        ("judge: {settle_seconds: .inf}\n", "judge.settle_seconds: "),
        ("charge_points: {007: {}}\n", "charge_points.7: the id must stand in quotes"),
        ("charge_points: {box: {mode: 3}}\n", "charge_points.box.mode: Input should be"),
        ("a: [\n", "ocpp-watchdog.yaml, line 2: not YAML"),
        ("- 1\n", "ocpp-watchdog.yaml: must hold settings by name"),
        ("config: other.yaml\n", "ocpp-watchdog.yaml: must hold settings by name, and not the name of a file"),
    ],
)
def test_P14_a_bad_setting_is_one_line_that_names_it_and_not_its_value(text: str, said: str) -> None:
    write(text)
    with pytest.raises(BadSettingError) as raised:
        load()
    line = str(raised.value)
    assert line.startswith(said)
    assert "\n" not in line
    assert "geheim" not in line


def test_two_bad_settings_are_both_named() -> None:
    with pytest.raises(BadSettingError, match=r"stall: .*; mode: |mode: .*; stall: "):
        load(stall=-1, mode="x")


def test_a_file_that_was_named_must_be_there() -> None:
    with pytest.raises(BadSettingError, match=r"^nowhere\.yaml: cannot be read \(No such file or directory\)$"):
        load(config="nowhere.yaml")


def test_a_file_that_is_no_text_is_refused() -> None:
    Path("ocpp-watchdog.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSettingError, match="cannot be read"):
        load()


def test_a_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_WATCHDOG_MOD", "observe")
    with pytest.raises(BadSettingError, match=r"^OCPP_WATCHDOG_MOD: there is no such setting$"):
        load()


def test_a_misspelt_variable_of_a_section_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_WATCHDOG_ADMIN__LISTENN", "127.0.0.1:1")
    with pytest.raises(BadSettingError, match=r"^admin\.listenn: there is no such setting$"):
        load()


def test_a_section_that_is_no_json_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_WATCHDOG_CHARGE_POINTS", "{geheim")
    with pytest.raises(BadSettingError, match="charge_points") as raised:
        load()
    assert "geheim" not in str(raised.value)


def test_W12_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = load(
        webhook={"url": "https://hook.example/geheim"},
        admin={"password": "geheim"},
        charge_points={"box": {"password": "geheim"}},
    )
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(effective(settings))
    assert told(settings)["webhook.url"] == ("********", "flag")
    assert told(settings)["charge_points.box.password"] == ("********", "flag")


def test_a_charge_point_with_dots_in_its_id_keeps_its_source() -> None:
    write("charge_points: {'a.b.judge': {judge: {zero_amperes: 2}}}\n")
    assert told(load())["charge_points.a.b.judge.judge.zero_amperes"] == ("2.0", "ocpp-watchdog.yaml")


def test_the_judges_numbers_are_those_of_the_policy() -> None:
    policy, judge = Policy(), Judge()
    for name in Judge.model_fields:
        assert getattr(judge, name) == getattr(policy, name), name
    assert set(JudgeOverrides.model_fields) == set(Judge.model_fields)
    assert {field.name for field in fields(Policy)} >= set(Judge.model_fields)


def test_a_charge_point_may_have_a_mode_and_numbers_of_its_own() -> None:
    settings = load(
        judge={"zero_amperes": 2.0, "settle_seconds": 40.0},
        charge_points={"slow": {"mode": "observe", "judge": {"settle_seconds": 90.0}}},
    )
    usual, slow = settings.policy("other"), settings.policy("slow")
    assert (usual.mode, usual.settle_seconds, usual.zero_amperes) == (Mode.ENFORCE, 40.0, 2.0)
    assert (slow.mode, slow.settle_seconds, slow.zero_amperes) == (Mode.OBSERVE, 90.0, 2.0)


def test_charge_points_without_settings_of_their_own_share_a_policy_until_the_settings_change() -> None:
    before, after = load(charge_points={"slow": {"mode": "observe"}}), load(judge={"zero_amperes": 2.0})
    policies = Policies()
    assert policies.of("a", before) is policies.of("b", before)
    assert policies.of("slow", before).mode is Mode.OBSERVE
    assert policies.of("a", after).zero_amperes == 2.0
    assert policies.of("a", before) == before.policy("a")


def test_a_policy_without_settings_is_the_default_policy() -> None:
    assert load().policy("any") == Policy()


def test_what_differs_is_named() -> None:
    before, after = load(), load(stall=7, charge_points={"box": {"mode": "observe"}})
    assert set(changes(before, after)) == {"stall", "charge_points", "charge_points.box.mode"}
    assert changes(before, load()) == []


def test_fixed_settings_read_nothing_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    write("stall: 1\n")
    monkeypatch.setenv("OCPP_WATCHDOG_MODE", "observe")
    monkeypatch.setenv("OCPP_WATCHDOG_NONSENSE", "1")
    settings = fixed(connect_timeout=3)
    assert (settings.stall, settings.mode, settings.connect_timeout) == (45, Mode.ENFORCE, 3)


@pytest.mark.parametrize(
    ("address", "parts"),
    [("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:8891", ("::1", 8891)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_is_host_and_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["", "80", ":80", "host:", "host:x", "host:70000", "host:-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        split_address(address)


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("nas", False)],
)
def test_loopback_is_told_from_the_rest(host: str, *, answer: bool) -> None:
    assert is_loopback(host) is answer


def test_every_repair_is_off_unless_it_is_named() -> None:
    assert load().repairs("box") == Repairs()
    assert load(charge_points={"box": {}}).repairs("box").names == ()
    assert load(charge_points={"box": {"repairs": {}}}).repairs("box").names == ()
    on = load(charge_points={"box": {"repairs": {"profile_dialect": {}, "timestamps": True}}})
    assert on.repairs("box").names == ("timestamps", "profile_dialect")
    assert on.repairs("other").names == ()
    assert told(on)["charge_points.box.repairs.timestamps"] == ("True", "flag")


@pytest.mark.parametrize(
    ("repairs", "said"),
    [
        ({"answer_for": ["SetChargingProfile"]}, "charge_points.box.repairs.answer_for"),
        ({"answer_for": ["StartTransaction"]}, "charge_points.box.repairs.answer_for"),
        ({"power_factor": 0}, "charge_points.box.repairs.power_factor"),
        ({"trigger_message": "Maybe"}, "charge_points.box.repairs.trigger_message"),
        ({"profile_dialect": {"watts_per_ampere": -1}}, "charge_points.box.repairs.profile_dialect.watts_per_ampere"),
        ({"profile": True}, "charge_points.box.repairs.profile: there is no such setting"),
    ],
)
def test_a_repair_that_cannot_be_is_an_error(repairs: dict[str, object], said: str) -> None:
    with pytest.raises(BadSettingError, match=re.escape(said)):
        load(charge_points={"box": {"repairs": repairs}})


def test_what_may_be_answered_is_what_the_core_answers() -> None:
    assert set(get_args(AnswerableAction)) == {*FOR_CHARGE_POINT, *FOR_CENTRAL_SYSTEM}


# -- the ladder ------------------------------------------------------------------------------------------------------


def test_the_ladder_of_the_settings_is_the_one_of_the_policy() -> None:
    assert fixed().policy("box") == Policy()
    wanted = {"steps": ["tx_profile", "remote_stop"], "after_stop": "restart", "set_back": "all_clear"}
    policy = fixed(ladder=wanted).policy("box")
    assert policy.ladder == (StepKind.TX_PROFILE, StepKind.REMOTE_STOP)
    assert (policy.after_stop, policy.set_back) == (AfterStop.RESTART, SetBack.ALL_CLEAR)


def test_a_charge_point_may_have_a_ladder_of_its_own() -> None:
    settings = fixed(charge_points={"box": {"ladder": {"steps": ["repeat_limit"], "enforce_limits": True}}})
    assert settings.policy("box").ladder == (StepKind.REPEAT_LIMIT,)
    assert settings.policy("box").enforce_limits
    assert settings.policy("other").ladder == (StepKind.REMOTE_STOP,)
    assert settings.owners_numbers("box") == {"ladder", "enforce_limits"}


@pytest.mark.parametrize(
    ("ladder", "says"),
    [
        ({"steps": []}, "ladder.steps"),
        ({"steps": ["remote_stop", "remote_stop"]}, "ladder.steps: each step at most once"),
        ({"steps": ["hope"]}, "ladder.steps"),
        ({"steps": ["external"]}, "ladder.external.url: must be given"),
        ({"soft_reset_window_seconds": 60}, "ladder.soft_reset_window_seconds"),
    ],
)
def test_a_ladder_that_cannot_be_climbed_is_one_line(ladder: dict[str, object], says: str) -> None:
    with pytest.raises(BadSettingError, match=says) as found:
        load(ladder=ladder)
    assert "\n" not in str(found.value)


def test_the_step_external_of_one_charge_point_needs_an_address_too() -> None:
    with pytest.raises(BadSettingError, match=r"ladder\.external\.url"):
        load(charge_points={"box": {"ladder": {"steps": ["external"]}}})
    own = {"steps": ["external"], "external": {"url": "http://relay.local/off?token=geheim"}}
    assert "geheim" not in str(fixed(ladder=own))


@pytest.mark.parametrize("text", ["mode: observe\nmode: enforce\n", "judge:\n  zero_amperes: 1\n  zero_amperes: 2\n"])
def test_a_setting_that_stands_twice_in_the_file_is_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(text)
    last = text.count("\n")
    with pytest.raises(BadSettingError, match=rf"twice\.yaml, line {last}: not YAML \(\w+ stands there twice\)"):
        load(config=path)


def test_a_block_of_the_file_may_be_used_again(tmp_path: Path) -> None:
    path = tmp_path / "merged.yaml"
    path.write_text("charge_points:\n  A: &same\n    mode: observe\n  B:\n    <<: *same\n    mode: enforce\n")
    assert load(config=path).charge_points["B"].mode is Mode.ENFORCE


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1"])
def test_a_proxy_on_this_machine_needs_pages_that_only_this_machine_reaches(proxy: str) -> None:
    assert load(admin={"trusted_proxy": proxy}).admin.trusted_proxy == proxy
    with pytest.raises(BadSettingError, match=r"admin\.trusted_proxy: is on this machine"):
        load(admin={"listen": "0.0.0.0:8891", "password": "geheim", "trusted_proxy": proxy})
