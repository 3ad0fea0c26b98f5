"""The few Protocols through which shell parts meet. Nothing here does anything.

The relay calls a ``Judge`` and gives it a ``Link``; whatever a judge raises is logged and counted, and frames go on
(DESIGN R12). Calls of one session's judge never overlap and never nest: what a call causes is told after it returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Protocol

from ocpp_watchdog.core.exercise import PartReport, SelfTestView
from ocpp_watchdog.core.mending import Mend, Repaired
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment


class Passage(Enum):
    """What became of a message."""

    FORWARDED = auto()  # as it came
    OURS = auto()  # a CALL of ours that was written
    WITHHELD = auto()  # an answer to a CALL of ours: kept from the central system
    TOO_LARGE = auto()  # forwarded and not kept: too large for the judge, or with reserved bits


Passed = tuple[object, Passage, Direction, bytes, float, float]
"""One message of a session, in wire order: (session, what became of it, direction, raw frames, utc, mono).

session: the same object for all messages of one session: what the recorder gave for it, else of no meaning. raw frames:
the WebSocket frames as they were on the wire, those of a charge point masked, more than one where the message was
fragmented; ``core.wire.payload_of`` gives the payload, ``frames[0] & wire.OPCODE`` tells text from binary. Empty for
TOO_LARGE. A ``core.mending.Repaired`` went out changed by a repair (withheld: was answered by one) and carries what
came and the names of the repairs. The moment is when it was forwarded, on both clocks (``terms.Moment``).
"""

Tap = Callable[[Passed], None]
"""Told of every message before it is judged, on the path that must stay fast: it only puts the message away, and
neither copies nor unmasks; that is for the thread that writes. What it raises is counted as a fault of ``journal`` and
nothing else happens."""


class Recorder(Protocol):
    """Is told of sessions, and gives each what its messages are told with."""

    def opened(self, charge_point: ChargePointId, peer: str, now: Moment) -> object:
        """A session began."""

    def closed(self, session: object, reason: str, now: Moment) -> None:
        """It is over."""


class Link(Protocol):
    """What a session can ask of the relay. Every method returns at once; after the end each is a no-op."""

    @property
    def charge_point(self) -> ChargePointId:
        """Last path segment, percent-decoded, case kept."""

    @property
    def peer(self) -> str:
        """The charge point's address, without port."""

    def inject(
        self, text: str, still_wanted: Callable[[], bool], written: Callable[[bool], None], give_up_at: float
    ) -> None:
        """Write one text frame towards the charge point at the next message boundary, at once when there is one.

        still_wanted: asked at the moment of writing. written: told once, True after the frame was handed to the
        transport, False when it was cancelled, the direction is closed or broken, the session ended, or a foreign
        fragmented message is still open at give_up_at (seconds of ``loop.time()``). Never inside another call of the
        judge. Arms the lane for answers to ``wd-`` ids for the rest of the session.
        """

    def arm(self) -> None:
        """Look for answers to our ids without having injected: the journal knows an open CALL of ours."""

    def hold_calls(self) -> None:
        """From now on hold CALLs of the central system, whole, in order (at most 64 and 1 MiB; beyond that they all
        flow and nothing more is held until ``release_calls``). Answers and control frames flow."""

    def release_calls(self) -> None:
        """Let the held CALLs go out, in order."""

    def close(self, code: int, reason: str) -> None:
        """End the session: a Close frame of ours to both ends, then both connections."""


class Judge(Protocol):
    """What the relay tells a session; one per pair of connections."""

    @property
    def wants_messages(self) -> bool:
        """False: no copy of a message is assembled and ``passed`` is never called. Read once, before ``opened``."""

    def opened(self, link: Link) -> None:
        """Both connections are joined; nothing has been received yet."""

    def passed(self, direction: Direction, frames: bytes) -> None:
        """A whole message, after it was written to the other side: its raw frames (``wire.payload_of`` unmasks them). A
        CALL that was held comes here when it is forwarded. Withheld answers do not come here."""

    def withheld(self, frames: bytes) -> None:
        """A whole CALLRESULT or CALLERROR to a CALL of ours, late and double ones too: kept from the central system.
        Raw frames."""

    def injected(self, frame: bytes) -> None:
        """A CALL of ours was written: its raw frame. Told before the ``written`` of ``Link.inject``."""

    def repaired(self, direction: Direction, frame: Repaired) -> None:
        """A whole message went out changed by a repair the owner switched on; it carries what came."""

    def answered(self, direction: Direction, frames: bytes, reply: bytes, repairs: str) -> None:
        """A whole message that went in this direction was not forwarded: a repair answered it. Raw frames of both."""

    def unjudged(self, direction: Direction, size: int) -> None:
        """A message of ``size`` bytes was relayed and is not judged: above ``judge_max``, or with reserved bits set."""

    def held(self, count: int) -> None:
        """How many CALLs of the central system are held now; told when it changes."""

    def closed(self, reason: str) -> None:
        """The session is over. Nothing is called afterwards."""


Menders = Callable[[ChargePointId], Mend | None]
"""Gives what repairs the messages of a charge point; None: none is switched on, and not a byte is looked at."""

JudgeFactory = Callable[[ChargePointId, str], Judge]
"""Makes the judge of a new session from the charge point's id and address."""


# -- the owner ---------------------------------------------------------------------------------------------------


class Result(StrEnum):
    """What became of something the owner wanted."""

    DONE = "done"
    REFUSED = "refused"
    NOT_CONNECTED = "not_connected"
    UNKNOWN_CHARGE_POINT = "unknown_charge_point"
    UNKNOWN_CONNECTOR = "unknown_connector"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order of the owner's. action: ``stand_down`` and so on. connector None: the charge point, or
    all of them where charge_point is empty too. reason: why it was refused, a key of the catalogue. until: POSIX
    seconds, of a maintenance."""

    action: str
    result: Result
    charge_point: str = ""
    connector: int | None = None
    reason: str = ""
    until: float | None = None

    @property
    def sentence(self) -> str:
        """Key of the catalogue's sentence."""
        if self.result is Result.DONE:
            return "maintenance_over" if self.action == "maintenance" and self.until is None else self.action
        prefix = "selftest." if self.action == "selftest" and self.result is Result.REFUSED else ""
        return prefix + (self.reason or str(self.result))


Outcomes = tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class SelfTestState:
    """The self-test of one connector. obstacle: why none can begin now, a key of the catalogue, empty: it can. plan:
    what it would do. test: the one under way, or the last one."""

    charge_point: str
    connector: int
    obstacle: str = ""
    plan: tuple[PartReport, ...] = ()
    test: SelfTestView | None = None


class Orders(Protocol):
    """What the owner can order by name, from the page, ``ctl`` or MQTT. connector None or 0: every one of the charge
    point. who: for the record (``ctl@127.0.0.1``). Nothing here raises; one outcome for each connector concerned."""

    def stand_down(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """Nothing more is done about this stop."""

    def stop_now(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """RemoteStopTransaction, now."""

    def acknowledge(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """No more reminders of this episode."""

    def set_back(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """A connector that was set Inoperative is Operative again."""

    def maintenance(self, charge_point: str, minutes: float, who: str) -> Outcomes:
        """Send nothing for so long; 0 ends it."""

    def test_alarm(self, who: str) -> Outcomes:
        """Tell something by every way there is."""

    def selftest(self, charge_point: str, connector: int) -> SelfTestState:
        """Look at the self-test; a test that nobody looks at ends."""

    def begin_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        """Begin it."""

    def abort_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        """Break it off; what it altered is put back."""
