"""What doctor finds out about the MQTT broker: each problem is made with a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mosquitto import HOST, PASSWORD, USER, broker, with_passwords
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.setup import doctor
from ocpp_watchdog.setup.broker import Broker
from ocpp_watchdog.setup.doctor import Found, State
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.setup import DOCTOR
from processes import free_port
from setup_stand_ins import http, saying


async def looked(url: str, **more: Any) -> Found:
    """The one line about this broker."""
    found = await doctor._broker(fixed(mqtt={"url": url, "try_seconds": 1.0, **more}))
    assert len(found) == 1
    return found[0]


async def test_without_a_broker_nothing_is_said() -> None:
    assert await doctor._broker(fixed()) == []


async def test_it_is_one_of_the_checks() -> None:
    nobody = {"url": f"mqtt://{HOST}:{free_port()}", "try_seconds": 1}
    settings = fixed(admin={"listen": "127.0.0.1:1"}, central_system="ws://127.0.0.1:1", mqtt=nobody)
    assert "broker_nobody" in [each.code for each in await doctor.examine(settings, 1_800_000_000.0)]


async def test_a_broker_that_lets_us_in_is_good_and_one_that_does_not_names_what_to_check(tmp_path: Path) -> None:
    with broker(tmp_path, *with_passwords(tmp_path)) as mosquitto:
        url = f"mqtt://{HOST}:{mosquitto.port}"
        good = await looked(url, user=USER, password=PASSWORD)
        assert (good.code, good.state) == ("broker_good", State.GOOD)
        for more in ({"user": USER, "password": "pw-planted-wrong"}, {}):
            wrong = await looked(url, **more)
            assert (wrong.code, wrong.state) == ("broker_refuses", State.PROBLEM)
            assert "mqtt.password" in wrong.text(Language.EN)
            assert "pw-planted" not in wrong.text(Language.EN) + repr(wrong)


async def test_a_broker_that_hangs_is_silent(tmp_path: Path) -> None:
    with broker(tmp_path) as mosquitto:
        mosquitto.freeze()
        assert (await looked(f"mqtt://{HOST}:{mosquitto.port}")).code == "broker_silent"


async def test_tls_is_told_from_no_tls(tmp_path: Path, certificate: Path) -> None:
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {certificate}")
    with broker(tmp_path, *lines) as mosquitto:
        at = f"{HOST}:{mosquitto.port}"
        assert (await looked(f"mqtts://{at}", ca=str(certificate))).code == "broker_good"
        assert (await looked(f"mqtts://{at}")).code == "broker_bad_certificate"
        assert (await looked(f"mqtt://{at}")).code == "broker_silent"
        unreadable = await looked(f"mqtts://{at}", ca=str(tmp_path / "missing.pem"))
        assert (unreadable.code, unreadable.values["why"][:7]) == ("broker_unusable", "mqtt.ca")


async def test_nobody_and_no_name_and_somebody_else_are_told_apart() -> None:
    assert (await looked(f"mqtt://{HOST}:{free_port()}")).code == "broker_nobody"
    assert (await looked("mqtt://no-such-name.invalid")).code == "broker_no_name"
    async with saying(http("400 Bad Request")) as url:
        assert (await looked(url.replace("ws:", "mqtt:"))).code == "broker_silent"


async def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.bridging.importlib.util.find_spec", lambda name: None)
    assert "pip install" in (await looked(f"mqtt://{HOST}:1")).text(Language.EN)


async def test_the_loop_lives_while_a_broker_hangs(tmp_path: Path) -> None:
    with broker(tmp_path) as mosquitto:
        mosquitto.freeze()
        async with asyncio.timeout(20.0):
            await asyncio.gather(looked(f"mqtt://{HOST}:{mosquitto.port}"), asyncio.sleep(0.1))


def test_every_finding_has_a_sentence() -> None:
    assert {f"broker_{what}" for what in Broker} < set(DOCTOR)
