"""The first settings: finds evcc, asks at most three questions, writes the file, says what to enter in the wallbox."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.settings import BadSettingError, Settings, check
from ocpp_watchdog.setup import central
from ocpp_watchdog.setup.central import Central
from ocpp_watchdog.setup.doctor import line_for
from ocpp_watchdog.setup.here import address
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.setup import DOCTOR, INIT

USUAL = ("ws://127.0.0.1:8887", "ws://evcc.local:8887")
MOST_TRIES = 3

Ask = Callable[[str], str]
Say = Callable[[str], None]
Look = Callable[[str], Awaitable[Central]]


class InitError(Exception):
    """It ends here; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says. central_system: where evcc is, None: find it. mode: None: ask."""

    path: Path
    language: Language
    central_system: str | None = None
    mode: Mode | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Interview:
    """A conversation. ask: gives the answer to a question; None: nothing is asked, the usual answers are taken."""

    wishes: Wishes
    say: Say
    ask: Ask | None
    look: Look

    def tell(self, code: str, **values: str) -> None:
        """Say a sentence of ``INIT``."""
        self.say(INIT[code](self.wishes.language, **values))

    def answer(self, question: str, name: str, usual: str) -> str:
        """The answer to one question; a bad one is asked again. name: the setting it is for. Raises InitError."""
        if self.ask is None:
            return usual
        for _ in range(MOST_TRIES):
            answer = self.ask(INIT[question](self.wishes.language, default=usual)).strip() or usual
            try:
                _checked(_value(name, answer))
            except InitError as error:
                self.tell("bad_answer", why=str(error))
            else:
                return answer
        raise InitError(INIT["bad_answer"](self.wishes.language, why=name))

    async def central_system(self) -> str:
        """Where evcc is: as found, or as answered."""
        given = self.wishes.central_system
        tried = USUAL if given is None else (given,)
        for url in tried:
            if await self.look(url) in {Central.GOOD, Central.REFUSES}:
                self.tell("found", url=url)
                return url
        self.tell("not_found", tried=", ".join(tried))
        chosen = self.answer("ask_central", "central_system", tried[0])
        what = Central.NOBODY if chosen in tried else await self.look(chosen)
        if what is not Central.GOOD:
            self.say(DOCTOR[f"central_{what}"](self.wishes.language, url=chosen))
        return chosen


async def begin(wishes: Wishes, say: Say, ask: Ask | None, look: Look = central.look) -> None:
    """Find, ask, write, say. Raises InitError."""
    if wishes.path.exists() and not wishes.force:
        raise InitError(INIT["exists"](wishes.language, path=str(wishes.path)))
    if wishes.central_system is not None:
        _checked(_value("central_system", wishes.central_system))
    interview = Interview(wishes, say, ask, look)
    values = _value("central_system", await interview.central_system())
    values["mode"] = str(wishes.mode or interview.answer("ask_mode", "mode", str(Mode.ENFORCE)))
    values["language"] = str(wishes.language)
    values |= _value("webhook", interview.answer("ask_webhook", "webhook", ""))
    settings = _checked(values)
    _write(wishes, values)
    _tell(wishes, settings, say)


def _value(name: str, answer: str) -> dict[str, object]:
    """The setting an answer means; nothing when there is no answer."""
    if not answer:
        return {}
    return {name: {"url": answer} if name == "webhook" else answer}


def _checked(values: dict[str, object]) -> Settings:
    try:
        return check(values)
    except BadSettingError as error:
        raise InitError(str(error)) from None


def _write(wishes: Wishes, values: dict[str, object]) -> None:
    """The file, for its owner's eyes alone: an address may carry a token."""
    text = f"# {INIT['heading'](wishes.language)}\n" + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    try:
        wishes.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = wishes.path.with_name(wishes.path.name + ".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(wishes.path)
    except OSError as error:
        why = os.strerror(error.errno or errno.EIO)
        raise InitError(INIT["unwritable"](wishes.language, path=str(wishes.path), why=why)) from None


def _tell(wishes: Wishes, settings: Settings, say: Say) -> None:
    language = wishes.language
    back = settings.central_system.replace("127.0.0.1", address())
    say(INIT["written"](language, path=str(wishes.path)))
    say(INIT["line"](language, line=line_for(settings)))
    say(INIT["back"](language, line=f"{back}/<id>"))
    say(INIT["down"](language))
    say(INIT["next"](language, start=f"ocpp-watchdog run --config {wishes.path}"))
