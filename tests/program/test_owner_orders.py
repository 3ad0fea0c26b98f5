"""The owner's orders over HTTP through the whole program: what reaches the wallbox, people and the record."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession
from leaping import lived
from whole_program import BOX, Hook, Tale, tale

from ocpp_watchdog.core.decisions import FactKind, Mode, Record

ONE = f"/api/v1/charge-points/{BOX}/connectors/1"


async def post(told: Tale, path: str, body: dict[str, object] | None = None) -> tuple[int, dict[str, Any]]:
    """Give an order; status and the first result."""
    headers = {"X-Ocpp-Watchdog-Client": "ctl"}
    url = told.proxy.admin_url + path
    async with ClientSession() as session, session.post(url, json=body or {}, headers=headers) as response:
        return response.status, (await response.json())["results"][0]


def orders(told: Tale) -> list[tuple[str, str]]:
    """What the record holds of the owner: text and who."""
    facts = [each for each in told.decisions if isinstance(each, Record) and each.kind is FactKind.OWNER]
    return [(fact.text, fact.who) for fact in facts]


def test_who_stands_an_ignored_stop_down_is_obeyed_at_once() -> None:
    async def story() -> None:
        async with tale("remote-stop-ignored") as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.injected("RemoteStopTransaction"))
            status, result = await post(told, f"{ONE}/stand-down")
            assert (status, result["result"]) == (200, "done")
            before = len(told.ours())
            await told.sleep(300.0)
            assert len(told.ours()) == before, "nothing more is sent"
            assert told.said() == ["alarm", "stood_down"]
            assert ("stand_down", "ctl@127.0.0.1") in orders(told)

    lived(story())


def test_stop_now_ends_the_charging_in_observe_mode_and_evcc_hears_nothing_of_it() -> None:
    async def story() -> None:
        async with tale("none", mode=Mode.OBSERVE) as told:
            await told.charging()
            status, result = await post(told, f"{ONE}/stop-now")
            assert (status, result["result"]) == (200, "done")
            await told.until(lambda: told.box.current_amperes() < 1.0, 30.0)
            assert [entry.action for entry in told.ours()] == ["RemoteStopTransaction"]
            await told.sleep(5.0)
            assert ("stop_now", "ctl@127.0.0.1") in orders(told)
            await told.everything_passed()

    lived(story())


def test_during_maintenance_nothing_is_sent_and_it_ends_by_itself() -> None:
    async def story() -> None:
        async with tale("ignores-zero") as told:
            await told.charging()
            path = f"/api/v1/charge-points/{BOX}/maintenance"
            assert (await post(told, path, {"minutes": 4}))[0] == 200
            await told.stop()
            await told.sleep(120.0)
            assert told.said() == ["alarm"], "it speaks all the same"
            assert told.ours() == []
            await told.until(lambda: told.injected("RemoteStopTransaction"), 300.0)
            assert ("maintenance ended", "") in orders(told)

    lived(story())


def test_a_test_alarm_reaches_people_marked_as_one() -> None:
    async def story() -> None:
        hook = Hook()
        async with tale("none", hook=hook, plugged=False) as told:
            assert (await post(told, "/api/v1/test-alarm"))[0] == 200
            await told.until(lambda: "test_alarm" in hook.kinds())
            assert "Test alarm" in hook.bodies[-1]["text"]["en"]
            assert orders(told) == [("test_alarm", "ctl@127.0.0.1")]

    lived(story())
