"""From settings to the broker: what they mean, what is refused, and what is not loaded by who goes without."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mosquitto import HOST, broker, free_port, listening
from ocpp_watchdog import bridging
from ocpp_watchdog.bridging import bridge_settings, by_mqtt
from ocpp_watchdog.settings import BadSettingError, check, fixed
from ocpp_watchdog.shell.mqtt import Bridge, BridgeSettings
from ocpp_watchdog.shell.mqtt.topics import Order, Topics
from ocpp_watchdog.shell.notify.message import of_ourselves
from ocpp_watchdog.shell.notify.sending import NotTakenError
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.mqtt import ENTITIES
from ocpp_watchdog.ways import trial
from shell_fakes import FakeClock, FakeOrders

PAGE = (Path(__file__).parents[1] / "docs" / "homeassistant.md").read_text("utf-8")


def made(**mqtt: Any) -> BridgeSettings:
    found = bridge_settings(fixed(mqtt=mqtt), "9.9.9")
    assert found is not None
    return found


def test_without_a_broker_there_is_none() -> None:
    assert bridge_settings(fixed(), "9.9.9") is None
    assert by_mqtt(Bridge(FakeClock(), Tally(), list, FakeOrders()), None) == []


def test_the_address_says_port_tls_and_who_we_are() -> None:
    plain = made(url="mqtt://broker")
    assert (plain.host, plain.port, plain.tls, plain.user, plain.password) == ("broker", 1883, None, None, None)
    over_tls = made(url="mqtts://broker")
    assert over_tls.port == 8883
    assert over_tls.tls is not None
    assert over_tls.tls.check_hostname
    named = made(url="mqtt://me%40home:s%2Fecret@[::1]:1884")
    assert (named.host, named.port, named.user, named.password) == ("::1", 1884, "me@home", "s/ecret")
    stronger = made(url="mqtt://me:old@broker", user="you", password="new")
    assert (stronger.user, stronger.password) == ("you", "new")
    assert "new" not in repr(stronger)


def test_the_same_settings_are_the_same_and_only_another_place_is_left_behind() -> None:
    assert made(url="mqtts://broker") == made(url="mqtts://broker"), "a reload that changes nothing does nothing"
    assert made(url="mqtt://broker").place == made(url="mqtt://broker", password="other").place
    assert made(url="mqtt://broker").place != made(url="mqtt://broker", topic_prefix="other").place


@pytest.mark.parametrize(
    ("mqtt", "said"),
    [
        ({"url": "http://broker"}, "mqtt.url: must be mqtt://host:port or mqtts://host:port"),
        ({"url": "mqtt://"}, "mqtt.url: must be mqtt://"),
        ({"url": "mqtt://geheim:x@broker:99999"}, "mqtt.url: must be mqtt://"),
        ({"url": "mqtt://broker/topic"}, "mqtt.url: must be mqtt://host:port without path"),
        ({"topic_prefix": "a/+"}, "mqtt.topic_prefix: must be the name of an MQTT topic"),
        ({"topic_prefix": "a//b"}, "mqtt.topic_prefix: must be the name"),
        ({"topic_prefix": "$SYS"}, "mqtt.topic_prefix: must be the name"),
        ({"discovery_prefix": ""}, "mqtt.discovery_prefix: "),
        ({"try_seconds": 0}, "mqtt.try_seconds: "),
        ({"broker": "x"}, "mqtt.broker: there is no such setting"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(mqtt: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettingError, match="^" + re.escape(said)) as found:
        check({"mqtt": mqtt})
    assert "geheim" not in str(found.value)


def test_a_ca_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettingError, match=r"^mqtt\.ca: cannot be used \(No such file or directory\)$"):
        made(url="mqtts://broker", ca=tmp_path / "none.pem")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridging.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BadSettingError, match=r"^mqtt\.url: aiomqtt is missing: pip install 'ocpp-watchdog\[mqtt\]'$"):
        made(url="mqtt://broker")


def test_who_has_no_broker_does_not_load_the_library() -> None:
    assert importlib.util.find_spec("aiomqtt") is not None
    code = (
        "import sys; from ocpp_watchdog.app import build; from ocpp_watchdog.settings import fixed\n"
        "from ocpp_watchdog.shell.clock import Clock\n"
        "build(fixed(), Clock()); sys.exit('aiomqtt' in sys.modules or 'paho' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_a_notice_that_the_broker_does_not_take_may_be_tried_again() -> None:
    (way,) = by_mqtt(Bridge(FakeClock(), Tally(), list, FakeOrders()), made(url="mqtt://broker"))
    message = of_ourselves("test_alarm", 0.0, None)
    assert way.name == "mqtt"
    assert way.sender.wants(message)
    with pytest.raises(NotTakenError, match="not connected"):
        await way.sender.send(message, 1.0)


# -- docs/homeassistant.md -----------------------------------------------------------------------------------------


def test_the_page_names_every_entity() -> None:
    table = PAGE.partition("| entity | kind |")[2].partition("\n\n")[0]
    named = {name for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert named - {"---"} == {sentence(Language.EN) for sentence in ENTITIES.values()}


def test_the_page_names_every_topic() -> None:
    named = set(re.findall(r"^\| `(ocpp-watchdog/[^`]+)` \|", PAGE, re.MULTILINE))
    topics = Topics("ocpp-watchdog", "homeassistant")
    real = {topics.status, topics.event(""), topics.test_alarm}
    real |= {topics.charge_point("box"), topics.event("box"), topics.maintenance("box")}
    real |= {topics.connector("box", 1, what) for what in ("state", "episode", "reading")}
    real |= {topics.order("box", 1, order) for order in (Order.STAND_DOWN, Order.STOP_NOW)}
    assert {name.replace("<charge point>", "box").replace("<connector>", "1") for name in named} == real


# -- notify-test ---------------------------------------------------------------------------------------------------


async def test_notify_test_tries_the_broker_too(tmp_path: Path) -> None:
    said: list[str] = []
    with broker(tmp_path) as mosquitto:
        settings = fixed(mqtt={"url": f"mqtt://{HOST}:{mosquitto.port}", "try_seconds": 2})
        async with listening(mosquitto.port) as ear:
            assert await trial(settings, said.append) is True
            await ear.until(lambda: ear.json("ocpp-watchdog/event")["event_type"] == "test_alarm")
            assert [topic for topic, *_ in ear.came] == ["ocpp-watchdog/event"], "nothing else, and no last will"
    assert said[0] == "mqtt: taken"


async def test_notify_test_says_that_the_broker_is_not_there() -> None:
    said: list[str] = []
    settings = fixed(mqtt={"url": f"mqtt://geheim:geheim@{HOST}:{free_port()}", "try_seconds": 1})
    assert await trial(settings, said.append) is False
    assert said[0].startswith("mqtt: NOT taken (")
    assert "geheim" not in "".join(said)
