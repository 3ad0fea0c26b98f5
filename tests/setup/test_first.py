"""init: finds evcc, asks at most three questions, writes settings that load, and says what to enter in the wallbox."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml

from ocpp_watchdog import cli
from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.settings import load
from ocpp_watchdog.setup import first
from ocpp_watchdog.setup.central import Central
from ocpp_watchdog.setup.first import InitError, Wishes
from ocpp_watchdog.texts.catalogue import Language


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", ())
    monkeypatch.setattr(first, "address", lambda: "192.168.1.5")
    monkeypatch.setattr("ocpp_watchdog.setup.here.address", lambda: "192.168.1.5")


PATH = Path("deep") / "settings.yaml"


def found_at(*urls: str) -> Callable[[str], Awaitable[Central]]:
    async def look(url: str) -> Central:
        return Central.GOOD if url in urls else Central.NOBODY

    return look


class Person:
    """Answers questions, in order, and remembers them."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.heard: list[str] = []

    def answer(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    @property
    def text(self) -> str:
        return "\n".join(self.heard)


async def talk(person: Person, *there: str, **wishes: object) -> dict[str, object]:
    chosen = Wishes(PATH, Language.EN, **wishes)  # type: ignore[arg-type]
    await first.begin(chosen, person.heard.append, person.answer, found_at(*there))
    values = yaml.safe_load(PATH.read_text("utf-8"))
    load(config=PATH)
    assert isinstance(values, dict)
    return values


async def test_evcc_on_this_machine_is_found_and_two_questions_remain() -> None:
    person = Person("", "")
    values = await talk(person, "ws://127.0.0.1:8887")
    assert values == {"central_system": "ws://127.0.0.1:8887", "mode": "enforce", "language": "en"}
    assert len(person.asked) == 2
    assert "    ws://192.168.1.5:8890/<id>" in person.text
    assert "enter ws://192.168.1.5:8887/<id> in the wallbox again" in person.text
    assert "While the proxy is down" in person.text


async def test_evcc_by_its_usual_name() -> None:
    assert (await talk(Person("", ""), "ws://evcc.local:8887"))["central_system"] == "ws://evcc.local:8887"


async def test_what_was_not_found_is_asked_for_and_three_questions_are_the_most() -> None:
    person = Person("ws://192.168.1.20:8887", "observe", "https://ntfy.test/alarm")
    values = await talk(person, "ws://192.168.1.20:8887")
    assert values["central_system"] == "ws://192.168.1.20:8887"
    assert values["mode"] == "observe"
    assert values["webhook"] == {"url": "https://ntfy.test/alarm"}
    assert len(person.asked) == 3


async def test_an_address_that_does_not_answer_is_taken_with_a_warning() -> None:
    person = Person("ws://192.168.1.20:8887", "", "")
    assert (await talk(person))["central_system"] == "ws://192.168.1.20:8887"
    assert "Nobody answers at ws://192.168.1.20:8887" in person.text


async def test_a_bad_answer_is_asked_again() -> None:
    person = Person("maybe", "observe", "")
    assert (await talk(person, "ws://127.0.0.1:8887"))["mode"] == "observe"
    assert "That does not work: mode: " in person.text


async def test_bad_answers_end_it_without_a_file() -> None:
    with pytest.raises(InitError):
        await talk(Person("a", "b", "c"), "ws://127.0.0.1:8887")
    assert not PATH.exists()


async def test_what_the_command_line_says_is_not_asked() -> None:
    person = Person("")
    values = await talk(person, "ws://10.0.0.9:1", central_system="ws://10.0.0.9:1", mode=Mode.OBSERVE)
    assert (values["central_system"], values["mode"]) == ("ws://10.0.0.9:1", "observe")
    assert len(person.asked) == 1


async def test_a_bad_address_on_the_command_line_is_one_line() -> None:
    with pytest.raises(InitError, match="central_system: must be ws://"):
        await talk(Person(), central_system="evcc")


async def test_a_file_is_not_overwritten_unless_it_is_said() -> None:
    await talk(Person("", ""), "ws://127.0.0.1:8887")
    with pytest.raises(InitError, match="--force"):
        await talk(Person("", ""), "ws://127.0.0.1:8887")
    assert (await talk(Person("observe", ""), "ws://127.0.0.1:8887", force=True))["mode"] == "observe"


async def test_the_file_is_for_its_owner_alone() -> None:
    await talk(Person("", ""), "ws://127.0.0.1:8887")
    assert PATH.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def _file_in_the_way(_elsewhere: None) -> None:
    Path("deep").write_text("a file")


@pytest.mark.usefixtures("_file_in_the_way")
async def test_a_folder_that_cannot_be_written_is_one_line() -> None:
    with pytest.raises(InitError, match=r"deep/settings\.yaml cannot be written"):
        await talk(Person("", ""), "ws://127.0.0.1:8887")


# -- the verb ----------------------------------------------------------------------------------------------------


async def test_yes_asks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["init", "--yes", "--central-system", "ws://127.0.0.1:1", "--file", "new.yaml", "--language", "de"]
    assert await asyncio.to_thread(cli.run, words) == 0
    assert "In der Wallbox als OCPP-Server eintragen" in capsys.readouterr().out
    assert load(config=Path("new.yaml")).central_system == "ws://127.0.0.1:1"


def test_without_a_terminal_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert cli.run(["init"]) == 1
    assert "--yes" in capsys.readouterr().err


async def test_a_person_at_a_terminal_is_asked(tmp_path: Path) -> None:
    """The real program on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    words = ("init", "--central-system", "ws://127.0.0.1:1", "--file", "asked.yaml")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ocpp_watchdog", *words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path
    )
    os.close(theirs)
    os.write(ours, b"\nobserve\n\n")
    try:
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        os.close(ours)
    assert load(config=tmp_path / "asked.yaml").mode is Mode.OBSERVE


async def test_the_file_begins_in_the_language_that_was_chosen() -> None:
    person = Person()
    await first.begin(Wishes(PATH, Language.DE), person.heard.append, None, found_at("ws://127.0.0.1:8887"))
    assert PATH.read_text("utf-8").startswith("# Von `ocpp-watchdog init` geschrieben.")
