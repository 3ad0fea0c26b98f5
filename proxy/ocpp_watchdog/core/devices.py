"""What the core is told about the device at the other end, and what it asks: through a Protocol, handed in.

Who knows devices (``knowledge/``) is not known here. The core says who the charge point claims to be and what passes;
it gets back how to judge otherwise and which commands are dangerous. A warning never blocks and never delays anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ocpp_watchdog.core.decisions import Explanation, Severity
from ocpp_watchdog.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds while a command passes. None: unknown, or it never happened since we look.

    updates_since_boot: UpdateFirmware CALLs since the last BootNotification. firmware_status: the last
    FirmwareStatusNotification's word.
    """

    utc: float
    since_boot_seconds: float | None = None
    since_connect_seconds: float | None = None
    since_start_seconds: float | None = None
    updates_since_boot: int = 0
    firmware_status: str = ""
    transaction_open: bool = False
    is_unavailable: bool = False


@dataclass(frozen=True, slots=True)
class Passing:
    """A CALL that passes, or the word its answer carries (answer None: it is on its way and has none yet)."""

    action: str
    payload: Mapping[str, object]
    circumstances: Circumstances
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Danger:
    """A command that is known to harm this device. fact: its id in the knowledge; en, de: what is said about it."""

    fact: str
    severity: Severity
    en: str
    de: str


class Device(Protocol):
    """What is known of one device."""

    @property
    def name(self) -> str:
        """Which device file speaks; empty: nothing is known."""

    @property
    def watched(self) -> frozenset[str]:
        """Actions that may be dangerous: of others nothing needs to be asked."""

    def tune(self, policy: Policy) -> Policy:
        """How this device is to be judged."""

    def dangers(self, passing: Passing) -> Sequence[Danger]:
        """What this command may do."""

    def explanations(self, *subjects: str) -> Sequence[Explanation]:
        """What explains this, the weightiest first. subjects: an evidence class, a phase, an ending, a step."""


Recognise = Callable[[str, str, str], Device]
"""Vendor, model and firmware as the charge point says them -> what is known."""


class Stranger:
    """Nothing is known."""

    name = ""
    watched: frozenset[str] = frozenset()

    def tune(self, policy: Policy) -> Policy:
        """As it is."""
        return policy

    def dangers(self, passing: Passing) -> Sequence[Danger]:
        """None known."""
        return ()

    def explanations(self, *subjects: str) -> Sequence[Explanation]:
        """None."""
        return ()


def nobody(vendor: str, model: str, firmware: str) -> Device:
    """Recognises no device."""
    return Stranger()
