"""Scenes that take a minute each run side by side: one thread, one loop, one future for each scene.

A scene is an async function that takes a folder of its own. ``side_by_side`` makes a test of one that fails when the
scene does and tells what it measured; ``after`` makes a test that looks at the result of a scene several rows share.
"""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

Scene = Callable[[Path], Awaitable[Any]]

SLOW = "FAULTS"
SOAK = "SOAK"


def lasting(cut: float, full: float) -> float:
    """How long a fault lasts, seconds: cut short, or as long as the table of faults says (make soak)."""
    return full if os.environ.get(SOAK) else cut


LONGEST_SECONDS = lasting(300.0, 1200.0)
APART_SECONDS = 0.8
"""Between the beginnings of two scenes: each starts a process of its own, and two cores are not many."""

is_slow = pytest.mark.skipif(not os.environ.get(SLOW), reason=f"takes a minute: set {SLOW}=1 (make faults)")


def _why_no_lab() -> str:
    """What hinders network namespaces with lossy and slow lines here; empty: nothing."""
    if not os.environ.get(SLOW):
        return "not asked"
    if os.geteuid() != 0:
        return "needs root: network namespaces"
    line = "nft add table inet probe && tc qdisc add dev lo root tbf rate 64kbit burst 4kb latency 400ms"
    try:
        done = subprocess.run(
            ["unshare", "--net", "sh", "-c", line], check=False, capture_output=True, text=True, timeout=30.0
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no network namespaces here: {error}"
    return "" if done.returncode == 0 else f"no network namespaces here: {done.stderr.strip()[-200:]}"


_NO_LAB = _why_no_lab()
wants_lab = pytest.mark.skipif(bool(_NO_LAB), reason=_NO_LAB)


def scene_of(function: object) -> Scene | None:
    """The scene behind a test, if it has one."""
    return getattr(function, "scene", None)


def _test_of(scene: Scene, look: Callable[[Any, Callable[[str], None]], None], like: Callable[..., Any]) -> Any:
    def test(scenes: Scenes, measured: Callable[[str], None]) -> None:
        look(scenes.result(scene), measured)

    functools.update_wrapper(test, like)
    del test.__wrapped__  # type: ignore[attr-defined]
    test.scene = scene  # type: ignore[attr-defined]
    return is_slow(test)


def side_by_side(scene: Scene) -> Any:
    """A test of a scene that returns what it measured, in words."""
    return _test_of(scene, lambda words, measured: measured(words), scene)


def after(scene: Scene) -> Callable[[Callable[[Any, Callable[[str], None]], None]], Any]:
    """A test that is given the result of this scene and ``measured``."""
    return lambda look: _test_of(scene, look, look)


def alone(test: Any) -> Any:
    """A slow test that wants the machine for itself: it runs when all scenes are over."""
    test.alone = True
    return is_slow(test)


class Scenes:
    """Runs them in a thread while the block lasts."""

    def __init__(self, scenes: Sequence[Scene], folder: Path) -> None:
        self._folder = folder
        self._futures: dict[Scene, Future[Any]] = {scene: Future() for scene in scenes}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="scenes", daemon=True)

    def __enter__(self) -> Scenes:
        if self._futures:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._futures:
            self._thread.join(LONGEST_SECONDS)

    def result(self, scene: Scene) -> Any:
        """Wait for a scene; raises what it raised."""
        return self._futures[scene].result(LONGEST_SECONDS)

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, scene in enumerate(self._futures):
                group.create_task(self._one(number, scene))

    async def _one(self, number: int, scene: Scene) -> None:
        await asyncio.sleep(number * APART_SECONDS)
        folder = self._folder / getattr(scene, "__name__", str(number))
        folder.mkdir()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                result = await scene(folder)
        except BaseException as error:
            self._futures[scene].set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._futures[scene].set_result(result)
