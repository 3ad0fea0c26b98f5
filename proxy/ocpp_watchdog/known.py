"""What is known of devices and what is repaired for them, joined to the running program: from settings to callables."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ocpp_watchdog import fast
from ocpp_watchdog.core.devices import Device, Recognise, Stranger
from ocpp_watchdog.core.mending import Mend
from ocpp_watchdog.core.repairs import mend
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.knowledge import library
from ocpp_watchdog.settings import Settings
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.ports import Menders
from ocpp_watchdog.shell.tally import Tally

log = logging.getLogger(__name__)


def menders(settings: Callable[[], Settings], clock: Clock) -> Menders:
    """What repairs the messages of a charge point, looked up and announced at each connection."""
    loads = fast.decoder()

    def mender(charge_point: ChargePointId) -> Mend | None:
        repairs = settings().repairs(charge_point)
        if not repairs.names:
            return None
        log.warning("messages are repaired: %s", ", ".join(repairs.names), extra={"charge_point": charge_point})
        return lambda direction, text: mend(repairs, direction, text, clock.utc(), loads)

    return mender


def count_repairs(settings: Settings, tally: Tally) -> None:
    """For how many charge points each repair is on."""
    tally.repairs.clear()
    for name in settings.charge_points:
        tally.repairs.update(settings.repairs(name).names)


def read_knowledge(clock: Clock, tally: Tally) -> None:
    """Read the device files once, at the start: not while frames wait."""
    try:
        library.shipped()
    except ValueError:
        tally.fault("knowledge", clock.now().mono)
        log.exception("what is known about devices cannot be read; the judge goes on without it")


def acquainted(settings: Settings, charge_point: str, clock: Clock, tally: Tally) -> Recognise:
    """What is known of devices, for the judge of one charge point: less what is the owner's own, and what is repaired.

    A device file that cannot be used is a fault of ours, counted; the judge goes on as if nothing were known.
    """
    owners, repaired = settings.owners_numbers(charge_point), settings.repairs(charge_point).names

    def recognise(vendor: str, model: str, firmware: str) -> Device:
        try:
            return library.recognise(vendor, model, firmware).keeping(owners, repaired)
        except ValueError:
            tally.fault("knowledge", clock.now().mono)
            log.exception("what is known about devices cannot be read; the judge goes on without it")
            return Stranger()

    return recognise
