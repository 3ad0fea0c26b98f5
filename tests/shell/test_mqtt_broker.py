"""The bridge with a real broker: what is held there, what comes back, and what the broker does to us."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mosquitto import HOST, PASSWORD, USER, Broker, broker, listening, with_passwords
from ocpp_watchdog.core.decisions import StationView
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.shell.mqtt import Bridge, BridgeSettings, NotTakenError, Topics
from ocpp_watchdog.shell.mqtt.bridge import View
from ocpp_watchdog.shell.mqtt.discovery import Announcement
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.texts.catalogue import Language
from shell_fakes import FakeClock, FakeOrders
from views import connector_view, episode_view, station_view

BOX = "ocpp-watchdog/box"
CONFIG = "homeassistant/device/ocpp_watchdog_box/config"
OURSELVES = "homeassistant/device/ocpp_watchdog_/config"
QUIET = connector_view(episode=None)
STATUS = "ocpp-watchdog/status"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path) as found:
        yield found


@dataclass
class Stage:
    """A bridge, and the charge points it looks at."""

    clock: FakeClock = field(default_factory=FakeClock)
    tally: Tally = field(default_factory=Tally)
    orders: FakeOrders = field(default_factory=FakeOrders)
    views: dict[str, StationView] = field(default_factory=lambda: {"box": station_view(QUIET)})

    def __post_init__(self) -> None:
        self.bridge = Bridge(self.clock, self.tally, self._stations, self.orders)

    def _stations(self) -> list[tuple[ChargePointId, View]]:
        def look(name: str) -> View:
            return lambda _: self.views[name]

        return [(ChargePointId(name), look(name)) for name in self.views]

    def see(self, **changes: Any) -> None:
        """The connector of the box looks like this from now on."""
        self.views["box"] = station_view(replace(QUIET, **changes))

    @asynccontextmanager
    async def running(self, settings: BridgeSettings | None) -> AsyncIterator[Stage]:
        self.bridge.use(settings)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.bridge.run(), name="bridge")
            try:
                yield self
            finally:
                task.cancel()

    async def until_connected(self, seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while not self.bridge.is_connected:
                await asyncio.sleep(0.02)

    async def until_lost(self, seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while self.bridge.is_connected:
                await asyncio.sleep(0.02)


def settings(port: int, **changes: Any) -> BridgeSettings:
    topics = Topics("ocpp-watchdog", "homeassistant")
    usual = BridgeSettings(HOST, port, Announcement(topics, Language.EN, 300.0, "9.9.9"), try_seconds=1.0)
    return replace(usual, **changes)


async def test_what_is_seen_is_held_by_the_broker_and_only_changes_are_sent(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, Stage().running(settings(mosquitto.port)) as stage:
        await ear.until(lambda: ear.json(f"{BOX}/1/state")["stop_ignored"] == "OFF")
        assert ear.held[STATUS] == "online"
        await asyncio.sleep(2.5)
        assert len(ear.texts(f"{BOX}/1/state")) == 1, "nothing has changed"
        stage.see(episode=episode_view())
        await ear.until(lambda: ear.json(f"{BOX}/1/state")["stop_ignored"] == "ON")
        await ear.until(lambda: ear.json(f"{BOX}/1/episode")["is_open"] is True)
        assert len(ear.texts(CONFIG)) == 1
        async with listening(mosquitto.port) as late:
            await late.until(lambda: late.json(f"{BOX}/1/state")["stop_ignored"] == "ON")
            await late.until(lambda: {CONFIG, OURSELVES, STATUS, f"{BOX}/state", f"{BOX}/1/episode"} <= set(late.held))
            assert f"{BOX}/1/reading" not in late.held, "an old reading must not look fresh"
            assert all(kept for *_, kept in late.came)


async def test_at_most_once_a_second_is_looked(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, Stage().running(settings(mosquitto.port)) as stage:
        await ear.until(lambda: f"{BOX}/1/state" in ear.held)
        for number in range(100):
            stage.see(episodes_total=number)
            await asyncio.sleep(0.02)
        assert len(ear.texts(f"{BOX}/1/state")) <= 4


async def test_when_home_assistant_comes_up_everything_is_told_again(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, Stage().running(settings(mosquitto.port)):
        await ear.until(lambda: f"{BOX}/1/reading" in ear.held)
        for payload in ("offline", "online"):
            await ear.say("homeassistant/status", payload)
        for topic in (CONFIG, OURSELVES, f"{BOX}/1/state", f"{BOX}/1/reading"):
            await ear.until(lambda topic=topic: len(ear.texts(topic)) == 2)


async def test_the_owners_orders_arrive_with_who_gave_them(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, Stage().running(settings(mosquitto.port)) as stage:
        await ear.until(lambda: f"{BOX}/1/state" in ear.held)
        for topic, payload in (
            (f"{BOX}/1/stand_down/set", "PRESS"),
            (f"{BOX}/1/stop_now/set", "PRESS"),
            (f"{BOX}/maintenance/set", "ON"),
            (f"{BOX}/maintenance/set", "OFF"),
            ("ocpp-watchdog/test_alarm/set", "PRESS"),
        ):
            await ear.say(topic, payload)
        await ear.until(lambda: len(stage.orders.given) == 5)
        assert stage.orders.given == [
            ("stand_down", "box", 1, "mqtt"),
            ("stop_now", "box", 1, "mqtt"),
            ("maintenance", "box", 60.0, "mqtt"),
            ("maintenance", "box", 0.0, "mqtt"),
            ("test_alarm", "", None, "mqtt"),
        ]


async def test_nonsense_and_an_order_that_the_broker_kept_are_not_obeyed(
    mosquitto: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(mosquitto.port) as ear:
        await ear.say(f"{BOX}/1/stop_now/set", "PRESS", retain=True)
        async with Stage().running(settings(mosquitto.port)) as stage:
            await ear.until(lambda: f"{BOX}/1/state" in ear.held)
            for topic, payload in (
                (f"{BOX}/1/stop_now/set", "secret-nonsense"),
                (f"{BOX}/one/stop_now/set", "PRESS"),
                (f"{BOX}/1/explode/set", "PRESS"),
                (f"{BOX}/maintenance/set", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
            ):
                await ear.say(topic, payload)
            await ear.say("ocpp-watchdog/test_alarm/set", "PRESS")
            await ear.until(lambda: stage.orders.given)
            assert [given[0] for given in stage.orders.given] == ["test_alarm"]
    assert "an order that the broker kept is not obeyed" in caplog.text
    assert "an order over MQTT that is none" in caplog.text
    assert "secret-nonsense" not in caplog.text


async def test_a_broker_that_restarts_is_told_everything_again(mosquitto: Broker) -> None:
    async with Stage().running(settings(mosquitto.port)) as stage:
        await stage.until_connected()
        mosquitto.stop()
        await stage.until_lost()
        mosquitto.start()
        async with listening(mosquitto.port) as ear:
            await ear.until(lambda: ear.json(f"{BOX}/1/state") and ear.json(CONFIG) and ear.held[STATUS] == "online")
        assert stage.tally.faults["mqtt"] == 0, "a short outage is not ours"


async def test_an_outage_that_lasts_is_counted_once(tmp_path: Path) -> None:
    mosquitto = Broker(tmp_path)
    async with Stage().running(settings(mosquitto.port)) as stage:
        for _ in range(6):
            stage.clock.advance(130.0)
            await asyncio.sleep(0.6)
        assert stage.tally.faults["mqtt"] == 1
        with pytest.raises(NotTakenError, match="not connected"):
            await stage.bridge.send("ocpp-watchdog/event", "{}", 1.0)


async def test_a_broker_that_hangs_is_given_up_and_found_again(mosquitto: Broker) -> None:
    async with Stage().running(settings(mosquitto.port)) as stage:
        async with listening(mosquitto.port) as ear:
            await ear.until(lambda: f"{BOX}/1/state" in ear.held)
        mosquitto.freeze()
        stage.see(episode=episode_view())
        with pytest.raises(NotTakenError):
            await stage.bridge.send("ocpp-watchdog/box/event", "{}", 0.5)
        await stage.until_lost()
        beats = 0
        async with asyncio.timeout(3.0):  # the loop goes on while the broker hangs
            while beats < 100:
                await asyncio.sleep(0.01)
                beats += 1
        mosquitto.thaw()
        async with listening(mosquitto.port) as ear:
            await ear.until(lambda: ear.json(f"{BOX}/1/state")["stop_ignored"] == "ON", 30.0)


@asynccontextmanager
async def slow(port: int, seconds: float) -> AsyncIterator[int]:
    """A way to the broker on which everything takes so long, each way; gives its port."""

    over = asyncio.Event()
    lines: list[asyncio.Task[None]] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                await asyncio.sleep(seconds)
                writer.write(data)

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, port)
        async with asyncio.TaskGroup() as group:
            pipes = [group.create_task(pipe(reader, back)), group.create_task(pipe(there, writer))]
            await asyncio.wait([*pipes, group.create_task(over.wait())], return_when=asyncio.FIRST_COMPLETED)
            over.set()
            for each in pipes:
                each.cancel()
        for end in (writer, back):
            end.close()
            with suppress(OSError):
                await end.wait_closed()

    def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(asyncio.get_running_loop().create_task(both(reader, writer)))

    server = await asyncio.start_server(served, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    over.set()
    await asyncio.gather(*lines)


async def test_a_slow_broker_gets_the_newest_state_and_not_all_of_them(mosquitto: Broker) -> None:
    async with (
        slow(mosquitto.port, 0.08) as port,
        listening(mosquitto.port) as ear,
        Stage().running(settings(port)) as stage,
    ):
        await ear.until(lambda: f"{BOX}/1/reading" in ear.held)
        for number in range(1, 31):
            stage.see(episodes_total=number)
            await asyncio.sleep(0.05)
        await ear.until(lambda: ear.json(f"{BOX}/1/state")["episodes"] == 30)
        assert len(ear.texts(f"{BOX}/1/state")) <= 4
        assert stage.bridge.is_connected
        assert stage.tally.faults["mqtt"] == 0


async def test_the_program_ends_at_once_although_the_broker_hangs(mosquitto: Broker) -> None:
    loop = asyncio.get_running_loop()
    async with Stage().running(settings(mosquitto.port)) as stage:
        await stage.until_connected()
        mosquitto.freeze()
        began = loop.time()
    assert loop.time() - began < 5.0
    mosquitto.thaw()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's socket: gc closes it
@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.02, 0.05])
async def test_the_program_ends_although_it_is_just_connecting(mosquitto: Broker, seconds: float) -> None:
    async with asyncio.timeout(10.0), Stage().running(settings(mosquitto.port)):
        await asyncio.sleep(seconds)
    gc.collect()


async def test_the_last_will_says_that_we_are_gone(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear:
        stage = Stage()
        async with stage.running(settings(mosquitto.port)):
            await ear.until(lambda: ear.held[STATUS] == "online" and ear.held[CONFIG])
        await ear.until(lambda: ear.held[STATUS] == "offline")
        assert ear.held[CONFIG], "the device stays, unavailable"


def test_who_dies_is_gone_by_the_last_will(mosquitto: Broker) -> None:
    """A process that is killed says nothing: the broker does."""
    import subprocess
    import sys

    code = (
        "import asyncio, sys; sys.path[:0] = sys.argv[2:]\n"
        "from test_mqtt_broker import Stage, settings\n"
        "async def story():\n"
        "    async with Stage().running(settings(int(sys.argv[1]))) as stage:\n"
        "        await stage.until_connected(); print('there', flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(story())\n"
    )
    here = Path(__file__).parent
    order = [sys.executable, "-c", code, str(mosquitto.port), str(here), str(here.parent)]
    with subprocess.Popen(order, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"

        async def story() -> None:
            async with listening(mosquitto.port) as ear:
                await ear.until(lambda: ear.held[STATUS] == "online")
                process.kill()
                await ear.until(lambda: ear.held[STATUS] == "offline")

        asyncio.run(story())


async def test_a_wrong_password_is_said_without_the_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with broker(tmp_path, *with_passwords(tmp_path)) as mosquitto:
        wrong = settings(mosquitto.port, user=USER, password="pw-planted-wrong")
        async with Stage().running(wrong) as stage:
            async with asyncio.timeout(15.0):
                while "no connection to the MQTT broker" not in caplog.text:
                    await asyncio.sleep(0.05)
            assert not stage.bridge.is_connected
            stage.bridge.use(settings(mosquitto.port, user=USER, password=PASSWORD))
            await stage.until_connected()
    assert "uthori" in caplog.text
    assert "pw-planted-wrong" not in caplog.text + repr(wrong)
    assert PASSWORD not in caplog.text


async def test_over_tls_the_broker_is_verified(
    tmp_path: Path, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {certificate}")
    with broker(tmp_path, *lines) as mosquitto:
        good = ssl.create_default_context(cafile=certificate)
        async with Stage().running(settings(mosquitto.port, tls=ssl.create_default_context())) as stage:
            async with asyncio.timeout(15.0):
                while "CERTIFICATE_VERIFY_FAILED" not in caplog.text:
                    await asyncio.sleep(0.05)
            assert not stage.bridge.is_connected
            stage.bridge.use(settings(mosquitto.port, tls=good, ca=str(certificate)))
            await stage.until_connected()
            async with listening(mosquitto.port, tls_context=good) as ear:
                await ear.until(lambda: f"{BOX}/1/state" in ear.held)
            mosquitto.freeze()
            stage.see(episodes_total=2)
            await stage.until_lost()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5.0, "nor does a handshake that hangs hold the end up"
        mosquitto.thaw()


async def test_switched_off_it_takes_everything_away(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, Stage().running(settings(mosquitto.port)) as stage:
        await ear.until(lambda: f"{BOX}/1/state" in ear.held)
        stage.bridge.use(None)
        await stage.until_lost()
        await ear.until(lambda: ear.held[STATUS] == "")
        async with listening(mosquitto.port) as late:
            await asyncio.sleep(0.5)
            assert late.held == {}
        stage.bridge.use(settings(mosquitto.port))
        await ear.until(lambda: ear.held[CONFIG])


async def test_a_charge_point_that_is_forgotten_is_taken_away(mosquitto: Broker) -> None:
    stage = Stage()
    stage.views["other"] = replace(stage.views["box"], charge_point=ChargePointId("other"))
    async with listening(mosquitto.port) as ear, stage.running(settings(mosquitto.port)):
        await ear.until(lambda: "ocpp-watchdog/other/1/state" in ear.held and f"{BOX}/1/state" in ear.held)
        del stage.views["other"]
        await ear.until(lambda: ear.held["homeassistant/device/ocpp_watchdog_other/config"] == "")
        async with listening(mosquitto.port) as late:
            await late.until(lambda: CONFIG in late.held)
            await asyncio.sleep(0.3)
            assert not [topic for topic in late.held if "other" in topic]


async def test_who_is_no_longer_admitted_is_taken_away_and_who_has_not_come_yet_is_not(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear:
        first = Stage()
        first.views["other"] = replace(first.views["box"], charge_point=ChargePointId("other"))
        async with first.running(settings(mosquitto.port)):
            await ear.until(lambda: "ocpp-watchdog/other/1/state" in ear.held and f"{BOX}/1/state" in ear.held)
        second = Stage(views={})
        async with second.running(settings(mosquitto.port, admitted=frozenset({"box"}))):
            await ear.until(lambda: ear.held["homeassistant/device/ocpp_watchdog_other/config"] == "")
            await asyncio.sleep(1.5)
            assert ear.held[CONFIG], "it may come yet"
            left = {topic for topic, text in ear.held.items() if text and topic.startswith("ocpp-watchdog/other")}
            assert left == {"ocpp-watchdog/other/1/reading"}, "which the broker never kept"


async def test_one_that_cannot_be_seen_hides_no_other(mosquitto: Broker) -> None:
    stage = Stage()

    def broken(_: Moment) -> StationView:
        raise RuntimeError("the judge is broken")

    usual = stage._stations
    stage.bridge = Bridge(stage.clock, stage.tally, lambda: [(ChargePointId("broken"), broken), *usual()], stage.orders)
    async with listening(mosquitto.port) as ear, stage.running(settings(mosquitto.port)):
        await ear.until(lambda: f"{BOX}/1/state" in ear.held)
        assert stage.tally.faults["mqtt"] >= 1
