"""``ocpp-watchdog selftest`` from the shell to the wallbox: what it says and asks, Ctrl-C, and its exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession
from leaping import lived
from test_selftest_played import with_sixteen_amperes
from whole_program import Tale

from ocpp_watchdog import cli
from ocpp_watchdog.ctl.client import Api, CtlError, Target
from ocpp_watchdog.ctl.supervise import Ask, selftest
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.verbs.ctl import ask_at_terminal


@dataclass
class Shell:
    """A shell beside a running proxy, on its loop. heard: called with each line."""

    told: Tale
    lines: list[str] = field(default_factory=list)
    heard: Callable[[str], None] = lambda line: None

    def say(self, line: str) -> None:
        self.lines.append(line)
        self.heard(line)

    async def selftest(self, ask: Ask | None = None, *, as_json: bool = False, connector: int | None = None) -> int:
        """Exit code."""
        at = Target(self.told.proxy.admin_url.removeprefix("http://"), Language.EN)
        work = selftest(None, connector, ask=ask, as_json=as_json)
        async with ClientSession() as session:
            return await work(Api(session, at), at, self.say)


def test_it_says_what_it_will_do_does_it_and_ends_with_0_when_the_remedy_is_there() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("ignores-zero-only") as told:
            await told.charging()
            shell = Shell(told)
            questions: list[str] = []

            def yes(question: str) -> str:
                assert told.ours() == [], "nothing goes out before the answer"
                questions.append(question)
                return " Y\n"

            assert await shell.selftest(yes) == 0
            assert questions == ["Begin? [y/N] "]
            assert shell.lines[0].endswith("each time waiting for what the readings show:")
            assert "  4. a limit of 0 A (SetChargingProfile)" in shell.lines
            assert shell.lines[-2:] == [
                "0 A is IGNORED.",
                "The remedy is there: RemoteStopTransaction ends the charging.",
            ]
            facts = [each.record for each in told.proxy.records.facts if each.record.who]
            assert [(each.text, each.who) for each in facts] == [("selftest", "api@127.0.0.1")]

    lived(story())


def test_without_a_remedy_it_ends_with_1() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("remote-stop-refused") as told:
            await told.charging()
            shell = Shell(told)
            assert await shell.selftest() == 1
            assert shell.lines[-1].startswith("The remedy is NOT there")

    lived(story())


@pytest.mark.parametrize("answer", ["n", "", None, "maybe"])
def test_nothing_goes_out_without_a_yes(answer: str | None) -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none") as told:
            await told.charging()
            shell = Shell(told)
            assert await shell.selftest(lambda _: answer) == 1
            assert shell.lines[-1] == "Not begun. Without being asked: --yes."
            await told.sleep(30.0)
            assert told.ours() == []

    lived(story())


def test_what_stands_in_the_way_is_one_line_and_exit_1() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none") as told:
            await told.until(told.connectors)
            shell = Shell(told)
            assert await shell.selftest(lambda _: "y") == 1
            (line,) = shell.lines
            assert line.endswith(": no transaction with a usable id is running. Charge a car first.")

    lived(story())


def test_ctrl_c_breaks_it_off_and_waits_until_evccs_limit_is_back() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none") as told:
            await told.charging()

            def press(line: str) -> None:
                if line.startswith("10 A: followed"):
                    os.kill(os.getpid(), signal.SIGINT)

            shell = Shell(told, heard=press)
            assert await shell.selftest() == 1
            assert "Broken off." in shell.lines
            assert told.limits()[-1] == 16
            assert not [entry for entry in told.ours() if entry.action == "RemoteStopTransaction"]
            facts = [each.record.text for each in told.proxy.records.facts if each.record.who]
            assert facts == ["selftest", "selftest_abort"]

    lived(story())


def test_as_json_it_is_the_answer_of_the_api_and_nothing_else() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none") as told:
            await told.charging()
            shell = Shell(told)
            assert await shell.selftest(as_json=True) == 0
            (line,) = shell.lines
            assert '"remedy": "remedy"' in line

    lived(story())


def test_who_is_meant_must_be_clear() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("two-connectors") as told:
            await told.charging()
            with pytest.raises(CtlError, match=r"connector 1\n.*connector 2"):
                await Shell(told).selftest()
            shell = Shell(told)
            assert await shell.selftest(connector=1) == 0
            assert "0 A is obeyed." in shell.lines

    lived(story())


def test_a_proxy_that_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["selftest", "--yes", "--address", "127.0.0.1:9"]) == 2
    assert "cannot be reached" in capsys.readouterr().err


def test_who_does_not_sit_at_a_terminal_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    assert ask_at_terminal("?") is None
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: f"{question} y")
    assert ask_at_terminal("?") == "? y"

    def gone(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", gone)
    assert ask_at_terminal("?") is None
