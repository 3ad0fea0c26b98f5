"""Whatever breaks around the ladder, the stop goes out in its time; whatever breaks in the judge, nobody is held.

DESIGN R12, in the field case: parts of the running program are made to raise while the story is played.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from leaping import lived
from whole_program import Hook, Page, Tale, page_of, tale

from ocpp_watchdog import app
from ocpp_watchdog.core.decisions import StepOutcome
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.shell.notify.notices import Notices
from ocpp_watchdog.shell.notify.way import Ways
from ocpp_watchdog.shell.records import Records

CONFIRMED = (42.0, 45.0)
HELD_AT_MOST_SECONDS = 10.0
TICK_SECONDS = 0.6
GIVE_UP_SECONDS = 120.0


def broken(*_: object, **__: object) -> Any:
    raise OSError("broken on purpose")


async def the_stop_goes_out(told: Tale) -> Page:
    """Charge, order 0 A, and look until the current has been gone for a while."""
    await told.charging()
    await told.stop()
    await told.sleep(120.0)
    (sent,) = told.injected("RemoteStopTransaction")
    assert CONFIRMED[0] <= sent <= CONFIRMED[1]
    assert told.box.current_amperes() == 0.0
    await told.everything_passed()
    return await page_of(told)


@pytest.mark.parametrize(
    ("part", "whose", "what", "told_still"),
    [
        ("record", Records, "keep", {"degraded", "alarm", "step", "all_clear"}),
        ("notify", Notices, "tell", {"degraded"}),
        ("notify", Ways, "post", set()),
        ("judge", Station, "tick", {"degraded", "alarm", "step", "all_clear"}),
    ],
    ids=["records", "notices", "web_hook_queue", "the_timer"],
)
def test_the_stop_goes_out_although_a_part_beside_it_is_broken(
    part: str, whose: type, what: str, told_still: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whose, what, broken)

    async def story() -> None:
        async with tale() as told:
            page = await the_stop_goes_out(told)
            assert page.value("faults_total", part=part) >= 1
            assert page.value("degraded") == 1
            assert set(told.hook.kinds()) == told_still
            assert told.hook.kinds().count("degraded") == ("degraded" in told_still), "once"

    lived(story())


def test_a_web_hook_that_hangs_delays_nothing_and_its_silence_is_counted() -> None:
    async def story() -> None:
        hook = Hook()
        hook.hangs = True
        settings = {"try_seconds": 10.0, "give_up_seconds": GIVE_UP_SECONDS}
        async with hook.serving(), tale(webhook={"url": hook.url, **settings}) as told:
            page = await the_stop_goes_out(told)
            assert page.value("notifications_waiting", way="webhook") >= 2
            assert page.value("notifications_total", way="webhook", outcome="delivered") == 0
            hook.hangs = False
            await told.sleep(2 * GIVE_UP_SECONDS)
            page = await page_of(told)
            assert page.value("notifications_waiting", way="webhook") == 0
            gone = page.value("notifications_total", way="webhook", outcome="undelivered")
            assert page.value("notifications_total", way="webhook", outcome="delivered") + gone == 3
            assert hook.kinds()[-1] == "all_clear"

    lived(story())


def test_a_web_hook_that_is_not_there_costs_old_news_and_nothing_else() -> None:
    async def story() -> None:
        nowhere = {"url": "http://127.0.0.1:9/alarm", "queue": 1, "give_up_seconds": GIVE_UP_SECONDS}
        async with tale("remote-stop-ignored", webhook=nowhere) as told:
            await told.charging()
            await told.stop()
            await told.sleep(600.0)
            assert len(told.injected("RemoteStopTransaction")) == 3
            page = await page_of(told)
            outcomes = {
                each: page.value("notifications_total", way="webhook", outcome=each)
                for each in ("undelivered", "dropped")
            }
            assert page.value("notifications_total", way="webhook", outcome="delivered") == 0
            assert page.value("notifications_waiting", way="webhook") <= 2
            assert outcomes["undelivered"] >= 1
            assert outcomes["dropped"] >= 1
            await told.everything_passed()

    lived(story())


# -- a judge that breaks in the middle ---------------------------------------------------------------------------


def breaks_when_written(*names: str) -> type[Station]:
    """A station that from the moment on when a frame of ours is on the wire raises on these questions."""

    class Breaks(Station):
        is_broken = False

    def once_written(self: Breaks, *about: Any) -> Any:
        self.is_broken = True
        if "written" in names:
            broken()
        return Station.written(self, *about)

    def guarded(name: str) -> Callable[..., Any]:
        def ask(self: Breaks, *about: Any) -> Any:
            return broken() if self.is_broken else getattr(Station, name)(self, *about)

        return ask

    for name in names:
        setattr(Breaks, name, guarded(name))
    Breaks.written = once_written  # type: ignore[method-assign]
    return Breaks


@pytest.mark.parametrize(
    "names",
    [
        ("own_answer",),
        ("written",),
        ("own_answer", "tick"),
        ("own_answer", "tick", "receive", "skim", "written", "view"),
    ],
    ids=["the_answer", "the_writing", "answer_and_time", "everything"],
)
def test_a_judge_that_breaks_while_a_call_of_ours_is_open_holds_nobody_for_longer_than_the_rules(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "SupervisedStation", breaks_when_written(*names))

    async def story() -> None:
        async with tale() as told:
            await told.charging()
            await told.stop()
            await told.clock.sleep(120.0)
            assert len(told.injected("RemoteStopTransaction")) == 1
            sent = told.central.log.calls("sent")
            came = {entry.text: entry.mono for entry in told.box.log.calls("received")}
            late = [entry for entry in sent if entry.mono < told.clock.mono() - 30.0 and entry.text not in came]
            assert not late, f"{len(late)} CALLs of the central system never reached the wallbox"
            waits = [came[entry.text] - entry.mono for entry in sent if entry.text in came]
            assert max(waits) <= HELD_AT_MOST_SECONDS + TICK_SECONDS
            page = await page_of(told)
            assert page.value("degraded") == 1

    lived(story())


def test_a_judge_that_breaks_before_it_acts_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Station, "may_send", broken)

    async def story() -> None:
        async with tale() as told:
            await told.charging()
            await told.stop()
            await told.sleep(60.0)
            assert told.ours() == [], "nothing goes out unjudged"
            assert told.steps(StepOutcome.NOT_SENT, StepOutcome.CANCELLED)
            assert (await page_of(told)).value("faults_total", part="judge") >= 1
            await told.everything_passed()

    lived(story())
