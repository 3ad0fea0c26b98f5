"""The self-test from a shell: says what it will do, asks, and stays with it until the end.

The test itself runs in the proxy and ends by itself when nobody looks any more; whoever breaks it off here waits until
the central system's limit is back.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ocpp_watchdog.ctl.client import DONE, REFUSED, Api, Say, Target, Work, choose, path_of, report
from ocpp_watchdog.texts.selftest import PLAN

LOOK_SECONDS = 1.0
YES = frozenset({"y", "yes", "j", "ja"})

Ask = Callable[[str], str | None]
"""Asks a question; None: there is nobody to ask."""


def selftest(charge_point: str | None, connector: int | None, *, ask: Ask | None, as_json: bool) -> Work:
    """The whole of it. ask None: it begins without being asked."""

    async def work(api: Api, at: Target, say: Say) -> int:
        language = at.language
        chosen = choose((await api.get("/state")).body, charge_point, connector or None, language)
        path = path_of(*chosen) + "/selftest"
        before = (await api.get(path)).body
        if not as_json or before["obstacle"]:
            for line in before["text"][language.value]:
                say(line)
        if before["obstacle"]:
            return REFUSED
        if ask is not None and not await _agreed(ask, PLAN["ask"](language)):
            say(PLAN["no_answer"](language))
            return REFUSED
        begun = await api.post(path)
        if begun.status != 200:
            return report(begun, at, say, as_json=as_json)
        return await _stay(api, path, at, say, as_json=as_json)

    return work


async def _agreed(ask: Ask, question: str) -> bool:
    answer = await asyncio.to_thread(ask, question)
    return answer is not None and answer.strip().lower() in YES


async def _stay(api: Api, path: str, at: Target, say: Say, *, as_json: bool) -> int:
    """Look each second and tell what is decided; Ctrl-C breaks the test off and waits for its end."""
    told = 0
    with _interrupts() as interrupted:
        while True:
            test = (await api.get(path)).body["test"]
            lines = [part["text"][at.language.value] for part in test["parts"] if part["text"] is not None]
            if not as_json:
                for line in lines[told:]:
                    say(line)
            told = len(lines)
            if test["is_over"]:
                return _end(test, at, say, as_json=as_json)
            if interrupted.is_set():
                interrupted.clear()
                await api.post(path + "/abort")
            await asyncio.sleep(LOOK_SECONDS)


def _end(test: Mapping[str, Any], at: Target, say: Say, *, as_json: bool) -> int:
    if as_json:
        say(json.dumps(test))
    else:
        for line in test["text"][at.language.value]:
            say(line)
    return DONE if test["end"] == "done" and test["remedy"] == "remedy" else REFUSED


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C while the block lasts."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_signal_handler(signal.SIGINT, event.set)
    except (ValueError, RuntimeError, NotImplementedError):  # not in the main thread: nobody can press it here
        yield event
        return
    try:
        yield event
    finally:
        loop.remove_signal_handler(signal.SIGINT)
