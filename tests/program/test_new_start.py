"""`ladder.after_stop: restart` in the whole program: what our stop ended is started anew when current is ordered again,
and not when the cable was out meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from leaping import lived
from whole_program import Tale, tale

from ocpp_watchdog.simulator.wallbox import WallboxOptions

LADDER = {"after_stop": "restart"}
READY_AGAIN = WallboxOptions(sample_seconds=10.0, prepares_again_seconds=60.0)
"""After a transaction it takes a new one without being plugged in anew; some do not."""
START = "RemoteStartTransaction"


async def stopped(told: Tale) -> None:
    """Our stop has ended the transaction, and the all-clear is told."""
    await told.charging()
    await told.stop()
    await told.until(lambda: told.said() == ["alarm", "all_clear"], seconds=180.0)
    assert told.box.current_amperes() == 0.0
    told.box.wallbox.options = replace(READY_AGAIN, start="remote")  # from now on nothing begins by itself
    told.central.set_mode("now")


def test_a_transaction_that_our_stop_ended_is_started_anew_and_charges() -> None:
    async def story() -> None:
        async with tale(ladder=LADDER, wallbox=READY_AGAIN) as told:
            await stopped(told)
            await told.until(lambda: told.limits()[-1] > 0.0, seconds=60.0)
            ordered = told.orders()[-1].mono - told.ordered
            await told.until(lambda: told.injected(START), seconds=200.0)
            (started,) = told.injected(START)
            assert 120.0 <= started - ordered <= 121.0
            await told.until(lambda: told.box.current_amperes() > 5.0, seconds=60.0)
            await told.sleep(300.0)
            assert len(told.injected(START)) == 1, "once"
            assert told.said() == ["alarm", "all_clear"]
            (text,) = (body["text"]["en"] for body in told.hook.bodies if body["kind"] == "all_clear")
            assert "a new start is tried once, when current has been ordered again for two minutes" in text

    lived(story())


def test_who_was_unplugged_meanwhile_is_not_charged() -> None:
    async def story() -> None:
        async with tale(ladder=LADDER, wallbox=READY_AGAIN) as told:
            await stopped(told)
            told.box.unplug()
            await told.sleep(5.0)
            told.box.plug_in()
            await told.sleep(400.0)
            assert told.injected(START) == []

    lived(story())
