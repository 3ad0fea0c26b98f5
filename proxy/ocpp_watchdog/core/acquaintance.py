"""Who the charge point says it is, what is known of it, and which passing command is known to harm it.

What is known comes through ``devices.Recognise``. A match changes the policy that all parts of the station share; what
the owner set himself is kept by whoever was handed in. Warnings go out beside the frames and hold nothing up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ocpp_watchdog.core.decisions import Decision, Ending, FactKind, NoticeKind, Notify, Phase, Record, Severity, Warn
from ocpp_watchdog.core.devices import Circumstances, Device, Passing, Recognise
from ocpp_watchdog.core.events import Booted
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, Moment

UPDATES = frozenset({"UpdateFirmware", "SignedUpdateFirmware"})
SUBJECTS: Mapping[NoticeKind, str] = {
    NoticeKind.ALL_CLEAR: Ending.OBEYED,
    NoticeKind.UNPROVEN: Ending.SILENT,
    NoticeKind.SUPERSEDED: Ending.SUPERSEDED,
    NoticeKind.EXHAUSTED: Phase.EXHAUSTED,
}
"""What a closing notice is about; an alarm is about its evidence. What else is told needs no explanation."""

MOST_EXPLANATIONS = 2
AGAIN_SECONDS = 60.0
"""A dangerous command that is repeated is told again after this time, and counted each time."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the station knows besides: transaction_open of any connector; is_unavailable: some connector is."""

    transaction_open: bool = False
    is_unavailable: bool = False


class Acquaintance:
    """policy: the one all parts share; it is changed here and nowhere else. boot: what the charge point said last."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_policy": "handed in",
        "_given": "handed in",
        "_recogniser": "handed in",
        "_device": "found anew",
        "_connected_mono": "of the session that is over",
        "_told": "told anew",
        "dangerous_commands": "counts since the start",
    }
    boot: Booted
    dangerous_commands: int
    _policy: Policy
    _given: Policy
    _recogniser: Recognise
    _device: Device
    _booted_mono: Mono | None
    _connected_mono: Mono | None
    _started_mono: Mono | None
    _updates: int
    _firmware_status: str
    _told: dict[str, float]

    def __init__(self, policy: Policy, recognise: Recognise) -> None:
        self.boot = Booted("", "", "")
        self._policy = policy
        self._given = replace(policy)
        self._recogniser = recognise
        self._device = recognise("", "", "")
        self._booted_mono = None
        self._connected_mono = None
        self._started_mono = None
        self._updates = 0
        self._firmware_status = ""
        self._told = {}
        self.dangerous_commands = 0

    @property
    def name(self) -> str:
        """Which device is known; empty: none."""
        return self._device.name

    @property
    def watched(self) -> frozenset[str]:
        """Actions that ``passed`` and ``answered`` want to hear of."""
        return self._device.watched

    def connected(self, now: Moment) -> None:
        """A session began."""
        self._connected_mono = now.mono

    def transaction_started(self, now: Moment) -> None:
        """StartTransaction passed."""
        self._started_mono = now.mono

    def booted(self, boot: Booted, now: Moment) -> list[Decision]:
        """BootNotification: the charge point may be another one, or another version."""
        self._booted_mono = now.mono
        self._updates = 0
        self._told.clear()
        return self.meet(boot, now)

    def firmware_said(self, firmware: str, now: Moment) -> list[Decision]:
        """GetConfiguration was answered with a FirmwareVersion: after a mere reconnect nothing else tells it."""
        return self.meet(replace(self.boot, firmware=firmware), now)

    def firmware_status(self, status: str) -> None:
        """FirmwareStatusNotification."""
        self._firmware_status = status

    def meet(self, boot: Booted, now: Moment) -> list[Decision]:
        """It says it is this one; the policy becomes the one for it."""
        if boot == self.boot:
            return []
        self.boot = boot
        self.recognise()
        if not self.name:
            return []
        text = f"known device {self.name}, firmware {boot.firmware or 'unknown'}"
        return [Record(FactKind.NOTE, WHOLE_CHARGE_POINT, now, text)]

    def recognise(self) -> None:
        """Look up who it is, and judge it by what is known; also after a restart, when it is remembered."""
        self._device = self._recogniser(self.boot.vendor, self.boot.model, self.boot.firmware)
        self._policy.become(self._device.tune(self._given))

    def use(self, policy: Policy, recognise: Recognise) -> None:
        """The owner changed what is given; what is known of the device stands on it anew."""
        self._given.become(policy)
        self._recogniser = recognise
        self.recognise()

    def passed(self, action: str, payload: Mapping[str, object], scene: Scene, now: Moment) -> list[Decision]:
        """A CALL is on its way."""
        warnings = self._warn(Passing(action, payload, self._circumstances(scene, now)), now)
        if action in UPDATES:
            self._updates += 1
        return warnings

    def answered(self, action: str, word: str, scene: Scene, now: Moment) -> list[Decision]:
        """A CALL was answered with this word (a status or an error code)."""
        return self._warn(Passing(action, {}, self._circumstances(scene, now), word), now)

    def explained(self, decision: Decision) -> Decision:
        """The same; a notice with what is known of the device."""
        if not isinstance(decision, Notify):
            return decision
        subject = SUBJECTS.get(decision.kind, "")
        if decision.kind is NoticeKind.ALARM and decision.episode.evidence:
            subject = decision.episode.evidence[-1].evidence
        explained = self._device.explanations(subject)[:MOST_EXPLANATIONS] if subject else ()
        return replace(decision, explained=tuple(explained)) if explained else decision

    def _warn(self, passing: Passing, now: Moment) -> list[Decision]:
        decisions: list[Decision] = []
        for danger in self._device.dangers(passing):
            self.dangerous_commands += 1
            told = self._told.get(danger.fact)
            is_told = told is None or (danger.severity is Severity.CRITICAL and now.mono - told >= AGAIN_SECONDS)
            decisions.append(
                Warn(danger.fact, danger.severity, passing.action, now, danger.en, danger.de, is_told=is_told)
            )
            if is_told:
                self._told[danger.fact] = now.mono
                text = f"{passing.action} meets {danger.fact}"
                decisions.append(Record(FactKind.NOTE, WHOLE_CHARGE_POINT, now, text))
        return decisions

    def _circumstances(self, scene: Scene, now: Moment) -> Circumstances:
        def since(mono: float | None) -> float | None:
            return None if mono is None else now.mono - mono

        return Circumstances(
            utc=now.utc,
            since_boot_seconds=since(self._booted_mono),
            since_connect_seconds=since(self._connected_mono),
            since_start_seconds=since(self._started_mono),
            updates_since_boot=self._updates,
            firmware_status=self._firmware_status,
            transaction_open=scene.transaction_open,
            is_unavailable=scene.is_unavailable,
        )
