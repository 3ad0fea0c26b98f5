"""One handshake, from the parsed request to a joined session or an answer: admit, contest, dial, join.

DESIGN R1 to R4 and R11. Runs in aiohttp's handler, which is cancelled when the charge point leaves, and with it the
dial. Answers go through the door; aiohttp writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Protocol, cast

from aiohttp import web

from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.relay.admission import Admission, Verdict
from ocpp_watchdog.shell.relay.dial import Answer, Dial, Failure, dial
from ocpp_watchdog.shell.relay.door import Curtain, Door
from ocpp_watchdog.shell.relay.request import Refusal, Upgrade, passed_on, read_upgrade, request_headers
from ocpp_watchdog.shell.relay.session import RelaySession
from ocpp_watchdog.shell.relay.settings import RelayCounters, RelaySettings, central_system

_log = logging.getLogger(__name__)

CHALLENGE = (b"WWW-Authenticate", b'Basic realm="charge point", charset="UTF-8"')


class Contest(Enum):
    """How a second connection of a live id was answered. REPLACED: nobody was there any more on the old one."""

    REPLACED = "replaced"
    REFUSED = "refused"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A second connection of a live id: from whom, against whom, and what became of it."""

    charge_point: ChargePointId
    newcomer: str
    holder: str
    outcome: Contest


class Turns:
    """One handshake at a time for each id: the next one then meets a session and is asked about it."""

    def __init__(self) -> None:
        self._locks: dict[ChargePointId, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def take(self, charge_point: ChargePointId, patience: float) -> AsyncIterator[None]:
        """Wait for the turn. Raises TimeoutError after ``patience`` seconds."""
        lock, waiting = self._locks.get(charge_point, (asyncio.Lock(), 0))
        self._locks[charge_point] = lock, waiting + 1
        try:
            async with asyncio.timeout(patience):
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, waiting = self._locks.pop(charge_point)
            if waiting > 1:
                self._locks[charge_point] = lock, waiting - 1


class House(Protocol):
    """The relay, as a handshake sees it."""

    @property
    def settings(self) -> RelaySettings: ...

    @property
    def counters(self) -> RelayCounters: ...

    @property
    def sessions(self) -> dict[ChargePointId, RelaySession]: ...

    @property
    def is_busy(self) -> bool:
        """Too many handshakes at once, or we stop."""

    def refused(self, door: Door, why: str) -> None:
        """Count a handshake that was refused for this reason."""

    def fault(self, charge_point: ChargePointId) -> None:
        """Count and log the exception that is being handled."""

    def join(self, door: Door, upgrade: Upgrade, caller: Dial, answer: Answer) -> None:
        """Answer 101 and join both connections, without an await."""


class Reception:
    """Answers charge points."""

    def __init__(
        self, house: House, admission: Admission, duplicate: Callable[[Duplicate], None] | None = None
    ) -> None:
        self._house = house
        self._admission = admission
        self._duplicate = duplicate
        self._turns = Turns()
        self.under_way = 0
        """Handshakes whose request has been read and not been answered yet."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler. What it returns goes nowhere: the charge point is answered through the door."""
        door = cast(Curtain, request.transport).door
        self.under_way += 1
        try:
            refusal = await self._answer(door, request)
        except Exception:
            self._house.fault(ChargePointId(""))
            refusal = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "fault")
        finally:
            self.under_way -= 1
        if refusal is not None:
            door.refuse(refusal)
        return web.Response()

    async def _answer(self, door: Door, request: web.BaseRequest) -> Refusal | None:
        """None: the charge point has been answered."""
        settings = self._house.settings
        upgrade = read_upgrade(request.method, request.raw_path, request.raw_headers, repair=settings.repair_path)
        if isinstance(upgrade, Refusal):
            return upgrade
        if self._house.is_busy:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", retry_after(5))
        refusal = self._check(upgrade, door.address)
        if refusal is not None:
            return refusal
        try:
            async with self._turns.take(upgrade.charge_point, settings.connect_timeout):
                return await self._contest(door, upgrade) or await self._dial(door, upgrade)
        except TimeoutError:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", retry_after(5))

    def _check(self, upgrade: Upgrade, address: str) -> Refusal | None:
        """Id and password, where they are configured, before anything is dialled."""
        now = asyncio.get_running_loop().time()
        match self._admission.check(upgrade.charge_point, upgrade.authorization, address, now):
            case Verdict.ADMITTED:
                return None
            case Verdict.UNKNOWN:
                return Refusal(HTTPStatus.NOT_FOUND, "not_admitted")
            case Verdict.TOO_MANY_GUESSES:
                return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "guesses", retry_after(10))
            case Verdict.NO_PASSWORD:
                return Refusal(HTTPStatus.UNAUTHORIZED, "no_password", (CHALLENGE,))
            case Verdict.WRONG_PASSWORD:
                return Refusal(HTTPStatus.UNAUTHORIZED, "wrong_password", (CHALLENGE,))

    # -- a second connection of one id ---------------------------------------------------------------------------

    async def _contest(self, door: Door, upgrade: Upgrade) -> Refusal | None:
        """A live session of this id is asked whether its charge point is still there (DESIGN R11)."""
        settings = self._house.settings
        old = self._house.sessions.get(upgrade.charge_point)
        if old is None:
            return None
        if not old.is_ending:
            now = asyncio.get_running_loop().time()
            if not self._admission.may_contest(upgrade.charge_point, door.address, now):
                self._tell(upgrade, door, old, Contest.LIMITED)
                return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "fight", retry_after(int(settings.fight_refill) or 1))
            if await old.answers(settings.duplicate_probe):
                self._tell(upgrade, door, old, Contest.REFUSED)
                return Refusal(HTTPStatus.CONFLICT, "duplicate")
            self._tell(upgrade, door, old, Contest.REPLACED)
        old.replace()
        await old.wait_until_over()
        return None

    def _tell(self, upgrade: Upgrade, door: Door, old: RelaySession, outcome: Contest) -> None:
        """Count, and raise the alarm; two that fight all day are not told of all day."""
        self._house.counters.duplicates += 1
        if not self._admission.may_alarm(upgrade.charge_point, asyncio.get_running_loop().time()):
            return
        _log.log(
            logging.INFO if outcome is Contest.REPLACED else logging.WARNING,
            "a second connection of a live charge point id: %s",
            outcome.value,
            extra={"charge_point": upgrade.charge_point, "newcomer": door.address, "holder": old.peer},
        )
        if self._duplicate is not None:
            try:
                self._duplicate(Duplicate(upgrade.charge_point, door.address, old.peer, outcome))
            except Exception:
                self._house.fault(upgrade.charge_point)

    # -- the central system --------------------------------------------------------------------------------------

    async def _dial(self, door: Door, upgrade: Upgrade) -> Refusal | None:
        """Dial, and answer the charge point with what comes back."""
        settings = self._house.settings
        central = central_system(settings.central_system)
        headers = request_headers(upgrade, central.authority, door.address if settings.forwarded_for else None)
        caller, answer = await dial(settings, central, upgrade.target, headers)
        if isinstance(answer, Failure):
            if not answer.ours:
                self._house.counters.central_system_answers = False
            return self._unreachable(upgrade, answer)
        self._house.counters.central_system_answers = True
        if caller is None:
            self._house.refused(door, "central_system")
            door.answer(passed_on(answer.status, answer.reason, answer.headers, answer.body))
            return None
        if any(name.lower() == b"sec-websocket-extensions" for name, _ in answer.headers):
            caller.abandon()
            return self._unreachable(upgrade, Failure("it accepts an extension that nobody offered"))
        if not door.is_open or caller.lost:
            caller.abandon()
            return self._unreachable(upgrade, Failure("somebody left in the moment of joining"))
        self._house.join(door, upgrade, caller, answer)
        return None

    def _unreachable(self, upgrade: Upgrade, failure: Failure) -> Refusal:
        if failure.ours:
            return Refusal(HTTPStatus.BAD_REQUEST, "headers")
        if self._admission.may_log(failure.text, upgrade.charge_point, asyncio.get_running_loop().time()):
            where = self._house.settings.central_system
            _log.warning(
                "no central system at %s: %s", where, failure.text, extra={"charge_point": upgrade.charge_point}
            )
        if failure.silent:
            return Refusal(HTTPStatus.GATEWAY_TIMEOUT, "silent")
        return Refusal(HTTPStatus.BAD_GATEWAY, "unreachable")


def retry_after(seconds: int) -> tuple[tuple[bytes, bytes], ...]:
    """The header that tells a charge point when to come again."""
    return ((b"Retry-After", b"%d" % seconds),)
