"""A real Home Assistant, a real Mosquitto, the proxy as a process, a simulated wallbox that ignores the stop."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser import photograph
from home import PYTHON, Home, home

from fast_world import BOX, World, world
from mosquitto import HOST, PASSWORD, USER, Broker, Ear, broker, listening, with_passwords
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.mqtt.board import Board
from ocpp_watchdog.shell.mqtt.discovery import Announcement
from ocpp_watchdog.shell.mqtt.topics import Topics, node
from ocpp_watchdog.texts.catalogue import Language
from processes import until
from views import ORDERED, connector_view, station_view

pytestmark = pytest.mark.skipif(PYTHON is None, reason="needs a Home Assistant: make test-homeassistant")

HERE = Path(__file__).parent
CONFIG = f"homeassistant/device/{node(BOX)}/config"
READING, EPISODE = (f"ocpp-watchdog/{BOX}/1/{what}" for what in ("reading", "episode"))
TAG, OF_BOX = "TAG-planted-0815", "pw-planted-box"


@dataclass
class Stage:
    """Everybody. home, ids: of the Home Assistant that runs now."""

    world: World
    broker: Broker
    folder: Path
    home: Home | None = None
    ids: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def at_home(self) -> AsyncIterator[Home]:
        """Home Assistant, begun anew with what it kept."""
        async with home(self.folder) as found:
            self.home = found
            yield found

    def id(self, key: str) -> str:
        """The entity that we announced as this component of the wallbox."""
        return self.ids[f"{node(BOX)}_{key}"]

    async def state(self, key: str) -> dict[str, Any]:
        assert self.home is not None
        return await self.home.state(self.id(key))

    async def press(self, key: str) -> None:
        assert self.home is not None
        await self.home.call("button.press", self.id(key))

    async def until(self, claim: Callable[[], Awaitable[object]], what: str, seconds: float = 40.0) -> None:
        assert self.home is not None
        try:
            async with asyncio.timeout(seconds):
                while not await claim():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {what}; {self.home.complaints()}") from None

    async def shows(self, key: str, wanted: str, seconds: float = 40.0) -> None:
        """Wait until an entity says this."""
        last = ""

        async def it_does() -> bool:
            nonlocal last
            last = (await self.state(key))["state"]
            return last == wanted

        try:
            await self.until(it_does, f"{key} shows {wanted}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {last}") from None

    async def flows(self, key: str, least: float) -> None:
        """Wait until a reading is above this."""

        async def it_does() -> bool:
            shown = (await self.state(key))["state"]
            return shown not in ("", "unknown", "unavailable") and float(shown) > least

        await self.until(it_does, f"{key} above {least}")

    def orders(self) -> list[str]:
        """What was ordered over MQTT, as the journal holds it."""
        with closing(sqlite3.connect(f"file:{self.world.folder}/journal.db?mode=ro", uri=True)) as journal:
            return [text for (text,) in journal.execute("SELECT text FROM owner_actions WHERE who = 'mqtt'")]

    async def until_ordered(self, order: str) -> None:
        async def it_is() -> bool:
            return order in self.orders()

        await self.until(it_is, f"{order} on the record")


@asynccontextmanager
async def everybody(folder: Path, fault: str) -> AsyncIterator[Stage]:
    """All but the proxy and Home Assistant."""
    (folder / "broker").mkdir()
    (folder / "proxy").mkdir()
    with broker(folder / "broker", *with_passwords(folder / "broker")) as mosquitto:
        settings = {
            "mqtt": {"url": f"mqtt://{HOST}:{mosquitto.port}", "user": USER, "password": PASSWORD},
            "charge_points": {BOX: {"password": OF_BOX}},
        }
        async with world(folder / "proxy", fault, password=OF_BOX, id_tag=TAG, **settings) as found:
            yield Stage(found, mosquitto, folder / "home")


def hearing(stage: Stage) -> AbstractAsyncContextManager[Ear]:
    return listening(stage.broker.port, username=USER, password=PASSWORD)


async def test_a_real_home_assistant_shows_an_ignored_stop_and_its_buttons_reach_the_proxy(tmp_path: Path) -> None:
    async with (
        everybody(tmp_path, "ignores-zero") as stage,
        hearing(stage) as ear,
        stage.world.proxy() as proxy,
    ):
        async with stage.at_home() as house:
            await house.use_broker(stage.broker.port, USER, PASSWORD)
            announced = await appear(stage)
            await the_device_is_there(stage, announced)
            await an_ignored_stop_is_a_problem_until_its_button_is_pressed(stage)
            assert house.complaints() == []
        async with stage.at_home() as house:
            await one_that_restarted_is_told_again(stage)
            proxy.kill()
            await proxy.wait()
            for key in ("connected", "1_ordered", "1_stop_ignored", "1_stop_now", "maintenance", "1_power"):
                await stage.shows(key, "unavailable")
            async with stage.world.proxy():
                await stage.shows("connected", "on")
                await stage.shows("1_stop_ignored", "off")
            await a_reading_expires_and_a_verdict_does_not(stage, ear)
            await what_is_taken_away_is_gone(stage, ear)
            assert house.complaints() == []
        nothing_that_was_planted_was_heard(ear)


def nothing_that_was_planted_was_heard(ear: Ear) -> None:
    said = "\n".join(f"{topic} {text}" for topic, text, _ in ear.came)
    assert {EPISODE, READING, CONFIG, f"ocpp-watchdog/{BOX}/event"} <= set(ear.held), "it was searched"
    coded = b64encode(f"{BOX}:{OF_BOX}".encode()).decode()
    assert [secret for secret in (TAG, OF_BOX, PASSWORD, coded) if secret in said] == []


async def appear(stage: Stage) -> dict[str, Any]:
    """Wait until Home Assistant knows all entities; gives the announcement of the wallbox."""
    async with hearing(stage) as ear:
        await ear.until(lambda: ear.json(CONFIG)["device"].get("model") and READING in ear.held, 30.0)
        announced = ear.json(CONFIG)

    async def they_are_there() -> bool:
        assert stage.home is not None
        stage.ids = await stage.home.entities()
        return {each["unique_id"] for each in announced["components"].values()} <= set(stage.ids)

    await stage.until(they_are_there, "every announced entity")
    return announced


async def the_device_is_there(stage: Stage, announced: dict[str, Any]) -> None:
    assert stage.home is not None
    devices = {
        each["identifiers"][0][1]: each
        for each in await stage.home.listed("config/device_registry/list")
        if each["identifiers"]
    }
    box, ourselves = devices[node(BOX)], devices[node("")]
    assert (box["name"], box["model"], box["via_device_id"]) == (BOX, announced["device"]["model"], ourselves["id"])
    said = {each["entity_id"]: each for each in await stage.home.listed("config/entity_registry/list")}
    assert {said[entity]["device_id"] for entity in stage.ids.values()} == {box["id"], ourselves["id"]}
    assert {entity.partition(".")[0] for entity in stage.ids.values()} == {
        "sensor",
        "binary_sensor",
        "event",
        "switch",
        "button",
    }
    assert stage.id("1_stop_ignored") == "binary_sensor.actec_ev_ac22k_stop_ignored", "as docs/homeassistant.md says"
    await stage.shows("connected", "on")
    await stage.shows("1_phase", "obeying")
    await stage.shows("1_stop_ignored", "off")
    assert float((await stage.state("1_ordered"))["state"]) == 6.0
    for line in ("1_current_l1", "1_current_l2", "1_current_l3"):
        await stage.flows(line, 5.0)
        assert (await stage.state(line))["attributes"]["unit_of_measurement"] == "A"
    await stage.flows("1_power", 1000.0)
    assert (await stage.state("1_stop_ignored"))["attributes"]["device_class"] == "problem"


async def an_ignored_stop_is_a_problem_until_its_button_is_pressed(stage: Stage) -> None:
    """In maintenance, so that nobody but the owner ends it."""
    assert stage.home is not None
    await stage.home.call("switch.turn_on", stage.id("maintenance"))
    await stage.shows("maintenance", "on")
    await stage.world.ignored_stop()
    await stage.shows("1_stop_ignored", "on")
    shown = await stage.state("1_stop_ignored")
    assert shown["attributes"]["is_open"] is True
    assert float((await stage.state("1_ordered"))["state"]) == 0.0

    async def it_rang() -> bool:
        return bool((await stage.state("event"))["attributes"].get("event_type") == "alarm")

    await stage.until(it_rang, "the event alarm")
    await pictured(stage)
    await stage.press("1_stand_down")
    await stage.until_ordered("stand_down")
    assert stage.world.box.current_amperes() > 5
    await stage.press("1_stop_now")
    await until(lambda: stage.world.box.current_amperes() == 0, 20.0, "RemoteStopTransaction by the button")
    await stage.shows("1_stop_ignored", "off")
    await stage.home.call("switch.turn_off", stage.id("maintenance"))
    await stage.shows("maintenance", "off")
    await stage.home.call("button.press", stage.ids[f"{node('')}_test_alarm"])
    await stage.until_ordered("test_alarm")
    assert set(stage.orders()) >= {"maintenance for 3600 s", "stop_now", "maintenance ended"}


async def pictured(stage: Stage) -> None:
    """For docs/homeassistant.md: the page of the device while a stop is being ignored."""
    if folder := os.environ.get("PICTURES"):
        assert stage.home is not None
        await stage.home.finish_onboarding()
        devices = await stage.home.listed("config/device_registry/list")
        device = next(each["id"] for each in devices if each["name"] == BOX)
        url = f"{stage.home.url}/config/devices/device/{device}"
        await photograph(url, stage.home.token, Path(folder) / "homeassistant.png", stage.world.folder)


async def one_that_restarted_is_told_again(stage: Stage) -> None:
    await stage.shows("connected", "on")
    stage.world.box.unplug()
    stage.world.central.set_mode("now")
    stage.world.box.plug_in()
    await stage.shows("1_ordered", "6.0")
    await stage.world.charging()
    await stage.flows("1_power", 1000.0)
    await stage.shows("1_phase", "stood_down")  # until the next stop order, as the owner said


async def a_reading_expires_and_a_verdict_does_not(stage: Stage, ear: Ear) -> None:
    """Of a charge point that somebody else announces: the clocks of the proxy and of Home Assistant go differently."""
    topics = Topics("elsewhere", "homeassistant")
    view = station_view(connector_view(), charge_point=ChargePointId("other"))
    board = Board(Announcement(topics, Language.EN, 3.0, "9.9.9"))
    board.see(view, ORDERED.later(1.0))
    places = []
    while (place := board.next()) is not None:
        places.append(place)
    await ear.say(topics.status, "online", retain=True)
    for place in places:
        await ear.say(place.topic, place.text, retain=place.is_retained)

    async def it_is_there() -> bool:
        assert stage.home is not None
        stage.ids = await stage.home.entities()
        return f"{node('other')}_1_power" in stage.ids

    await stage.until(it_is_there, "the other charge point")
    power, verdict = stage.ids[f"{node('other')}_1_power"], stage.ids[f"{node('other')}_1_phase"]

    async def shown() -> tuple[str, str]:
        assert stage.home is not None
        states = await stage.home.states()
        return states[power]["state"], states[verdict]["state"]

    async def it_flows() -> bool:
        await ear.say(places[-1].topic, places[-1].text)
        found, said = await shown()
        return said == "violating" and found not in ("", "unknown", "unavailable")

    assert places[-1].topic.endswith("/reading")
    await stage.until(it_flows, "its power")

    async def it_expired() -> bool:
        return await shown() == ("unavailable", "violating")

    await stage.until(it_expired, "its power gone and its verdict not")


async def what_is_taken_away_is_gone(stage: Stage, ear: Ear) -> None:
    """Who clears the topic of the announcement, as the proxy does when a charge point is forgotten."""
    await ear.say(CONFIG, "", retain=True)

    async def it_is_gone() -> bool:
        assert stage.home is not None
        return not any(unique.startswith(node(BOX)) for unique in await stage.home.entities())

    await stage.until(it_is_gone, "no entity of it")


# -- the announcement, by its own schemas --------------------------------------------------------------------------


def judged(*messages: dict[str, Any]) -> list[str]:
    """What Home Assistant's own code says of each."""
    assert PYTHON is not None
    order = [PYTHON, str(HERE / "valid_discovery.py")]
    done = subprocess.run(order, input=json.dumps(messages), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, *complaints = done.stdout.splitlines()
    print("Home Assistant", version)
    assert len(complaints) == len(messages)
    return complaints


def test_its_own_schemas_take_every_announcement_and_not_just_any() -> None:
    said = []
    for language in Language:
        announcement = Announcement(Topics("ocpp-watchdog", "homeassistant"), language, 300.0, "9.9.9")
        said.append(announcement.ourselves())
        strange = station_view(connector_view(), charge_point=ChargePointId("a/b +#ä_"), vendor="", firmware="\0")
        said += [announcement.device(station_view(connector_view()), (1,)), announcement.device(strange, (1, 2))]
    assert judged(*said) == ["good"] * len(said)
    wrong = []
    for path, value in (
        (("components", "1_power", "device_class"), "no such class"),
        (("components", "1_power", "expire_after"), "soon"),
        (("components", "event", "state_topic"), ""),
        (("components", "1_stop_now", "command_topic"), "a/#"),
        (("device", "identifiers"), []),
        (("origin",), {}),
    ):
        message = json.loads(json.dumps(said[1]))
        place = message
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        wrong.append(message)
    assert "good" not in judged(*wrong)
