"""A wallbox that something is known of, in the whole program: a dangerous command passes, and everybody is told."""

from __future__ import annotations

import json

from leaping import lived
from whole_program import BOX, page_of, tale

from ocpp_watchdog.simulator.wallbox import WallboxOptions

HALO = WallboxOptions(vendor="Charge Amps AB", model="HALO", firmware="173", sample_seconds=10.0)
UPDATE = {"location": "ftp://files.example/halo_187.img", "retrieveDate": "2025-10-01T16:00:00Z"}


def test_a_firmware_update_without_a_restart_passes_and_everybody_is_told() -> None:
    async def story() -> None:
        async with tale("none", wallbox=HALO) as told:
            await told.charging()
            await told.sleep(700)
            told.central.stations[BOX].channel.post("UpdateFirmware", UPDATE)
            await told.sleep(20)
            page = await page_of(told)
            arrived = list(told.box.log.calls("received", "UpdateFirmware"))
            assert [entry.payload for entry in arrived] == [UPDATE], "it passed, at once"
            sent = list(told.central.log.calls("sent", "UpdateFirmware"))
            assert arrived[0].mono - sent[0].mono < 0.1
            (body,) = [body for body in told.hook.bodies if body["kind"] == "danger"]
            assert "HALO-UPG-01" in body["text"]["en"]
            assert "Gefahr!" in body["text"]["de"]
            assert page.value("dangerous_commands_total") >= 1
            assert told.proxy.watches.get(BOX).station.view(told.proxy.clock.now()).device == "charge-amps-halo"

    lived(story())


def test_an_ignored_stop_of_a_known_device_is_explained_and_judged_by_its_numbers() -> None:
    async def story() -> None:
        async with tale("ignores-zero", wallbox=HALO) as told:
            await told.charging()
            await told.stop()
            await told.sleep(120)
            (stop,) = told.injected("RemoteStopTransaction")
            assert 72.0 <= stop <= 76.0, "up to 177 a stop may take 60 s"
            (alarm,) = [body for body in told.hook.bodies if body["kind"] == "alarm"]
            assert "HALO-SC-02" in alarm["text"]["en"]
            assert json.dumps(told.hook.bodies)

    lived(story())
