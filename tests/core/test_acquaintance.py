"""Who it is, what is known of it, which passing command harms it; and what of that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ocpp_watchdog.core.acquaintance import Acquaintance, Scene
from ocpp_watchdog.core.decisions import (
    Count,
    CountKind,
    Decision,
    EvidenceClass,
    Explanation,
    FactKind,
    NoticeKind,
    Notify,
    Record,
    Severity,
    Warn,
)
from ocpp_watchdog.core.devices import Circumstances, Danger, Device, Passing, Stranger
from ocpp_watchdog.core.events import Booted
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ConnectorId, Moment
from views import episode_view

NOW = Moment(1_795_000_000.0, 1_000.0)
BOX = Booted("Maker", "Box", "2.1")
UPDATE: Mapping[str, object] = {"location": "ftp://x/box.bin"}
GRAVE = Danger("BOX-1", Severity.CRITICAL, "It breaks.", "Es geht kaputt.")
SLIGHT = Danger("BOX-2", Severity.WARNING, "It may forget.", "Es vergisst vielleicht.")
WHY = [Explanation(f"BOX-{number}", "So it is.", "So ist es.") for number in (3, 4, 5)]


@dataclass
class Box:
    """A device whose updates are dangerous."""

    settle: float = 60.0
    name: str = "box"
    watched: frozenset[str] = frozenset({"UpdateFirmware"})
    asked: list[Passing] = field(default_factory=list)
    dangerous: list[Danger] = field(default_factory=lambda: [GRAVE, SLIGHT])

    def tune(self, policy: Policy) -> Policy:
        return replace(policy, settle_seconds=self.settle)

    def dangers(self, passing: Passing) -> Sequence[Danger]:
        self.asked.append(passing)
        return self.dangerous

    def explanations(self, *subjects: str) -> Sequence[Explanation]:
        return WHY if subjects in ((EvidenceClass.LIVE,), ("obeyed",)) else ()


class Room:
    """An acquaintance that knows the box in two versions."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.box, self.newer = Box(), Box(settle=45.0)
        self.acquaintance = Acquaintance(self.policy, self.recognise)

    def recognise(self, vendor: str, model: str, firmware: str) -> Device:
        if model != "Box":
            return Stranger()
        return self.newer if firmware == "3.0" else self.box

    def update(self, mono: float = 1_000.0, scene: Scene = Scene()) -> list[Decision]:  # noqa: B008
        return self.acquaintance.passed("UpdateFirmware", UPDATE, scene, Moment(NOW.utc + mono, mono))


def warnings(decisions: list[Decision]) -> list[tuple[str, bool]]:
    return [(told.fact, told.is_told) for told in decisions if isinstance(told, Warn)]


def notes(decisions: list[Decision]) -> list[str]:
    return [told.text for told in decisions if isinstance(told, Record) and told.kind is FactKind.NOTE]


def test_nothing_is_known_before_it_says_who_it_is() -> None:
    room = Room()
    assert room.acquaintance.name == ""
    assert room.acquaintance.watched == frozenset()
    assert room.update() == []
    assert room.policy == Policy()


def test_a_boot_notification_changes_the_policy_that_all_share() -> None:
    room = Room()
    assert notes(room.acquaintance.booted(BOX, NOW)) == ["known device box, firmware 2.1"]
    assert room.policy.settle_seconds == 60.0
    assert room.acquaintance.name == "box"
    assert room.acquaintance.watched == {"UpdateFirmware"}
    assert room.acquaintance.boot == BOX


def test_the_same_again_says_nothing_and_another_begins_from_what_was_given() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    assert room.acquaintance.booted(BOX, NOW) == []
    room.acquaintance.booted(replace(BOX, firmware="3.0"), NOW)
    assert room.policy.settle_seconds == 45.0
    assert room.acquaintance.booted(Booted("Other", "Thing", ""), NOW) == []
    assert room.policy == Policy()


def test_the_configuration_tells_the_firmware_of_a_box_that_did_not_boot() -> None:
    room = Room()
    room.acquaintance.booted(replace(BOX, firmware=""), NOW)
    assert notes(room.acquaintance.firmware_said("3.0", NOW)) == ["known device box, firmware 3.0"]
    assert room.policy.settle_seconds == 45.0
    assert notes(room.acquaintance.meet(replace(BOX, firmware=""), NOW)) == ["known device box, firmware unknown"]


def test_a_dangerous_command_is_told_noted_and_counted() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    told = room.update()
    assert warnings(told) == [("BOX-1", True), ("BOX-2", True)]
    assert notes(told) == ["UpdateFirmware meets BOX-1", "UpdateFirmware meets BOX-2"]
    first = told[0]
    assert isinstance(first, Warn)
    assert (first.action, first.severity, first.en, first.de) == (
        "UpdateFirmware",
        Severity.CRITICAL,
        "It breaks.",
        "Es geht kaputt.",
    )
    assert room.acquaintance.dangerous_commands == 2


def test_what_is_told_is_not_told_at_once_again_but_counted() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    room.update(1_000.0)
    assert warnings(room.update(1_030.0)) == [("BOX-1", False), ("BOX-2", False)]
    assert warnings(room.update(1_060.0)) == [("BOX-1", True), ("BOX-2", False)]
    assert room.acquaintance.dangerous_commands == 6


def test_a_boot_makes_every_warning_new() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    room.update(1_000.0)
    room.acquaintance.booted(BOX, NOW)
    assert warnings(room.update(1_001.0)) == [("BOX-1", True), ("BOX-2", True)]


def test_the_circumstances_are_told_to_whoever_knows() -> None:
    room = Room()
    room.acquaintance.connected(Moment(0.0, 900.0))
    room.acquaintance.booted(BOX, Moment(0.0, 910.0))
    room.acquaintance.transaction_started(Moment(0.0, 950.0))
    room.acquaintance.firmware_status("DownloadFailed")
    room.update(1_000.0, Scene(transaction_open=True, is_unavailable=True))
    room.update(1_001.0)
    first, second = room.box.asked
    assert first == Passing(
        "UpdateFirmware",
        UPDATE,
        Circumstances(NOW.utc + 1_000.0, 90.0, 100.0, 50.0, 0, "DownloadFailed", True, True),
    )
    assert second.circumstances.updates_since_boot == 1


def test_what_never_happened_is_unknown_and_other_commands_are_no_updates() -> None:
    room = Room()
    room.acquaintance.meet(BOX, NOW)
    room.acquaintance.passed("Reset", {}, Scene(), NOW)
    room.update()
    circumstances = room.box.asked[-1].circumstances
    assert circumstances == Circumstances(NOW.utc + 1_000.0)


def test_an_answer_may_be_dangerous_too() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    assert warnings(room.acquaintance.answered("BootNotification", "Pending", Scene(), NOW))
    assert room.box.asked[-1].answer == "Pending"


def notice(kind: NoticeKind, **changes: object) -> Notify:
    return Notify(kind, Severity.CRITICAL, ConnectorId(1), NOW, episode_view(**changes))


@pytest.mark.parametrize("kind", [NoticeKind.ALARM, NoticeKind.ALL_CLEAR])
def test_a_notice_is_explained_by_what_is_known_of_the_device(kind: NoticeKind) -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    explained = room.acquaintance.explained(notice(kind))
    assert isinstance(explained, Notify)
    assert explained.explained == tuple(WHY[:2])


def test_what_needs_no_explanation_stays_as_it_is() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    for decision in (
        notice(NoticeKind.REMINDER),
        notice(NoticeKind.EXHAUSTED),
        notice(NoticeKind.ALARM, evidence=()),
        Count(CountKind.MENDED),
    ):
        assert room.acquaintance.explained(decision) is decision


def test_what_the_owner_changes_holds_beneath_what_is_known() -> None:
    room = Room()
    room.acquaintance.booted(BOX, NOW)
    room.acquaintance.use(Policy(zero_amperes=2.0), room.recognise)
    assert (room.policy.zero_amperes, room.policy.settle_seconds) == (2.0, 60.0)
    room.acquaintance.use(Policy(), lambda *_: Stranger())
    assert room.policy == Policy()
