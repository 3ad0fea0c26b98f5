"""Nobody is recognised where nobody knows devices: nothing is tuned and nothing is dangerous."""

from __future__ import annotations

from ocpp_watchdog.core.devices import Circumstances, Device, Passing, Stranger, nobody
from ocpp_watchdog.core.policy import Policy


def test_a_stranger_is_judged_as_the_policy_says_and_never_warned_of() -> None:
    device: Device = nobody("Charge Amps", "Halo", "173")
    policy = Policy(settle_seconds=45.0)
    assert isinstance(device, Stranger)
    assert device.name == ""
    assert device.watched == frozenset()
    assert device.tune(policy) is policy
    assert device.dangers(Passing("UpdateFirmware", {}, Circumstances(0.0))) == ()
    assert device.explanations("blind") == ()
