"""The whole program between a simulated wallbox and a stand-in for evcc, on real sockets and in leaping time.

Nothing of the program is replaced: settings, relay, judge, metrics page and web hook are those of ``app.running``. A
``Tale`` is what a test holds while the three live; afterwards it keeps what everybody sent, received and said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from leaping import LoopClock, leaping, program_clock
from prometheus_client.parser import text_string_to_metric_families

from ocpp_watchdog.app import Proxy, running
from ocpp_watchdog.core.decisions import (
    ConnectorView,
    FactKind,
    Mode,
    NoticeKind,
    Notify,
    Phase,
    Record,
    StepOutcome,
    StepRecord,
)
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.settings import Settings, fixed
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator, ConnectionOptions
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.simulator.transcript import Happening, LogEntry, Transcript
from ocpp_watchdog.simulator.wallbox import WallboxOptions

BOX = ChargePointId("ACTEC-EV-AC22K")
START_UTC = 1_759_324_352.0
"""2025-10-01 15:12:32 in the field's local time, ten seconds before the first order."""

WALLBOX = WallboxOptions(sample_seconds=10.0)
"""The interval that evcc asks for, from the first transaction on."""

SCHEDULE = "GetCompositeSchedule"
OURS = "wd-"
LOOK_SECONDS = 1.0
HANGING_SECONDS = 100_000.0


class Hook:
    """A web hook's server. hangs: takes requests and never answers. bodies: what was posted, with the loop's time."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.hangs = False
        self.url = ""

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.times.append(asyncio.get_running_loop().time())
        if self.hangs:
            await asyncio.sleep(HANGING_SECONDS)
        return web.Response(status=204)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Hook]:
        """Listen while the block lasts."""
        application = web.Application()
        application.router.add_post("/alarm", self._take)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alarm"
            yield self
        finally:
            await runner.cleanup()

    def kinds(self) -> list[str]:
        """Kinds of the notices, in order."""
        return [body["kind"] for body in self.bodies]

    def posted(self, kind: str) -> list[float]:
        """When notices of this kind came, the loop's time."""
        return [at for at, body in zip(self.times, self.bodies, strict=True) if body["kind"] == kind]


class Page:
    """One scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample, without the prefix in its name. Raises KeyError when there is none."""
        return self.samples["ocpp_watchdog_" + name, frozenset(labels.items())]

    def ones(self, name: str, label: str, **labels: str) -> set[str]:
        """Values of one label whose sample is 1: the phase, the findings."""
        wanted = labels.items()
        found = [(dict(pairs), value) for (sample, pairs), value in self.samples.items() if sample.endswith("_" + name)]
        return {pairs[label] for pairs, value in found if value == 1.0 and wanted <= pairs.items()}

    def total(self, name: str, **labels: str) -> float:
        """Sum over all samples of one name that carry these labels."""
        full, wanted = "ocpp_watchdog_" + name, labels.items()
        return sum(
            value for (sample, pairs), value in self.samples.items() if sample == full and wanted <= dict(pairs).items()
        )


async def scrape(proxy: Proxy) -> Page:
    """Read /metrics over HTTP, as Prometheus does."""
    async with ClientSession() as session, session.get(f"{proxy.admin_url}/metrics") as response:
        assert response.status == 200
        return Page(await response.text())


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at one connector."""

    at: float
    connector: int
    phase: Phase
    findings: frozenset[str]


@dataclass
class Tale:
    """Everybody who takes part. Times of the methods are seconds after ``ordered``, the stop order at the wallbox."""

    clock: LoopClock
    central: CentralSystemSimulator
    proxy: Proxy
    box: ChargePointSimulator
    hook: Hook
    decisions: list[Notify | Record]
    happenings: list[Happening]
    settings: Settings
    program: AsyncExitStack
    seen: list[Seen] = field(default_factory=list)
    ordered: float = 0.0

    # -- the program's lives -------------------------------------------------------------------------------------

    async def dies(self) -> None:
        """The program is gone, and everything it held in memory; what its end decides nobody hears."""
        heard, self.decisions[:] = list(self.decisions), []
        await self.program.aclose()
        self.decisions[:] = heard

    async def ends(self) -> None:
        """The story is told."""
        await self.program.aclose()

    async def rises(self, clock: Clock, **changes: Any) -> None:
        """It starts again at its old address, with these settings changed."""
        host = self.proxy.url.removeprefix("ws://")
        self.settings = self.settings.model_copy(update={"listen": host, **changes})
        self.program = AsyncExitStack()
        started = running(self.settings, clock, lambda _, each: self.decisions.append(each))
        self.proxy = await self.program.enter_async_context(started)

    # -- what happens ----------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        """Let time pass, looking at the judge each second."""
        end = self.clock.mono() + seconds
        while self.clock.mono() < end:
            self.look()
            await self.clock.sleep(min(LOOK_SECONDS, end - self.clock.mono()))

    async def until(self, claim: Callable[[], object], seconds: float = 300.0) -> None:
        """Let time pass until a claim holds; fails when it does not within these seconds."""
        end = self.clock.mono() + seconds
        while not claim():
            assert self.clock.mono() < end, f"not within {seconds} s; last: {[h.name for h in self.happenings[-8:]]}"
            self.look()
            await self.clock.sleep(0.5)

    async def charging(self, seconds: float = 45.0) -> None:
        """Wait until evcc has set the wallbox up and ordered current, and it has flowed for a while."""
        await self.until(lambda: BOX in self.central.stations and self.central.stations[BOX].set_up.is_set())
        numbers = self.box.wallbox.connectors
        await self.until(lambda: all(self.box.current_amperes(each) > 5 for each in numbers))
        await self.until(lambda: all(self.limits(each)[-1:] > [0] for each in numbers))
        await self.sleep(seconds)

    async def stop(self) -> None:
        """Mode off, 7 s after a reading: the readings then come 3, 13, 23 ... s after the order, as on the day."""
        before = len(self.sent_readings())
        await self.until(lambda: len(self.sent_readings()) > before)
        await self.clock.sleep_until(self.sent_readings()[-1].mono + 7.0)
        self.central.set_mode("off")
        await self.until(lambda: self.limits()[-1:] == [0], seconds=90.0)
        self.mark()

    def mark(self) -> None:
        """Take the newest 0 A that the wallbox was sent as the order from which seconds are counted."""
        orders = [entry for entry in self.orders() if limit_of(entry) == 0]
        self.ordered = orders[-1].mono

    def look(self) -> None:
        """Remember what the judge shows now."""
        now = self.clock.mono()
        self.seen += [
            Seen(now, view.connector, view.phase, frozenset(found.kind.value for found in view.findings))
            for view in self.connectors()
        ]

    # -- what the judge shows and says -----------------------------------------------------------------------------

    def connectors(self) -> tuple[ConnectorView, ...]:
        """Its view now; empty before the wallbox connected."""
        watch = self.proxy.watches.get(BOX)
        return () if watch is None else watch.station.view(self.proxy.clock.now()).connectors

    def connector(self, number: int = 1) -> ConnectorView:
        """One connector now."""
        return next(view for view in self.connectors() if view.connector == number)

    def findings(self, connector: int = 1) -> set[str]:
        """Everything found on one connector since the order, over or not."""
        looks = (look for look in self.seen if look.connector == connector and look.at > self.ordered)
        return {finding for look in looks for finding in look.findings}

    def phases(self, connector: int = 1) -> set[Phase]:
        """Every phase of one connector since the order."""
        return {look.phase for look in self.seen if look.connector == connector and look.at > self.ordered}

    def said(self, connector: int | None = None) -> list[str]:
        """Kinds of what people were told about episodes since the order; the notices about single steps left out."""
        return [
            notice.kind.value
            for notice in self.decisions
            if isinstance(notice, Notify)
            and notice.kind is not NoticeKind.STEP
            and connector in {None, notice.connector}
            and self.after(notice.at.mono) >= 0
        ]

    def told(self, kind: NoticeKind) -> list[float]:
        """When notices of this kind were given."""
        notices = (each for each in self.decisions if isinstance(each, Notify) and each.kind is kind)
        return [self.after(notice.at.mono) for notice in notices]

    def steps(self, *outcomes: StepOutcome) -> list[StepRecord]:
        """The records of steps with these outcomes, or all."""
        facts = (each for each in self.decisions if isinstance(each, Record) and each.kind is FactKind.STEP)
        return [fact.step for fact in facts if fact.step and (not outcomes or fact.step.outcome in outcomes)]

    def after(self, loop_seconds: float) -> float:
        """A moment of the program or of the loop as seconds after the order."""
        return loop_seconds - self.clock.began - self.ordered

    # -- what was on the wire --------------------------------------------------------------------------------------

    def ours(self) -> list[LogEntry]:
        """Every frame of ours that reached the wallbox, whatever it was, but for the question that follows the first
        step (``schedules_asked``)."""
        return [entry for entry in self._all_ours() if entry.action != SCHEDULE]

    def schedules_asked(self) -> int:
        """How often the composite schedule was asked for."""
        return sum(1 for entry in self._all_ours() if entry.action == SCHEDULE)

    def _all_ours(self) -> list[LogEntry]:
        return [entry for entry in self.box.log if entry.way == "received" and OURS in entry.text]

    def injected(self, action: str) -> list[float]:
        """When CALLs of ours of this action reached the wallbox."""
        return [entry.mono - self.ordered for entry in self.ours() if entry.action == action]

    def orders(self, connector: int = 1) -> list[LogEntry]:
        """The SetChargingProfiles of one connector that reached the wallbox."""
        calls = self.box.log.calls("received", "SetChargingProfile")
        return [call for call in calls if call.payload["connectorId"] == connector]

    def limits(self, connector: int = 1) -> list[float]:
        """Their limits."""
        return [limit_of(entry) for entry in self.orders(connector)]

    def sent_readings(self) -> list[LogEntry]:
        """The wallbox's MeterValues, spoilt ones too."""
        return [entry for entry in self.box.log if entry.way == "sent" and '"MeterValues"' in entry.text]

    async def everything_passed(self, *, connections_were_lost: bool = False) -> None:
        """Assert that each side got what the other one sent, in order, and nothing of ours reached the central system.

        CALLs and answers towards the wallbox are looked at apart: CALLs may have been held for a moment.
        """
        pairs = [
            (texts(self.box.log, "sent", without=answers_to_ours), texts(self.central.log, "received")),
            (calls(self.central.log, "sent"), [text for text in calls(self.box.log, "received") if OURS not in text]),
            (answers(self.central.log, "sent"), answers(self.box.log, "received")),
        ]
        for _, received in pairs:
            assert not [text for text in received if OURS in text]
        if connections_were_lost:
            assert all(is_part_of(received, sent) for sent, received in pairs)
            return
        for sent, received in pairs:
            assert received == sent[: len(received)]
            assert len(sent) - len(received) <= 1, "at most the one that is on its way"


def limit_of(order: LogEntry) -> float:
    """The limit of a SetChargingProfile."""
    profile: Any = order.payload["csChargingProfiles"]
    return float(profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])


def answers_to_ours(text: str) -> bool:
    """Whether this is an answer to a CALL of ours, read as JSON and not as our lane reads it."""
    try:
        message = json.loads(text)
    except ValueError:
        return False
    return message[0] in {3, 4} and str(message[1]).startswith(OURS)


def texts(log: Transcript, way: str, without: Callable[[str], bool] = lambda _: False) -> list[str]:
    """What went this way."""
    return [entry.text for entry in log if entry.way == way and not without(entry.text)]


def calls(log: Transcript, way: str) -> list[str]:
    """The CALLs among it."""
    return [text for text in texts(log, way) if text.lstrip().startswith("[2")]


def answers(log: Transcript, way: str) -> list[str]:
    """The others."""
    return [text for text in texts(log, way) if not text.lstrip().startswith("[2")]


def is_part_of(part: Iterable[str], whole: Iterable[str]) -> bool:
    """Whether all of the part is in the whole, in this order."""
    rest: Iterator[str] = iter(whole)
    return all(any(text == other for other in rest) for text in part)


@asynccontextmanager
async def tale(
    fault: str = "ignores-zero",
    *,
    mode: Mode = Mode.ENFORCE,
    central: CentralOptions | None = None,
    wallbox: WallboxOptions = WALLBOX,
    connection: ConnectionOptions | None = None,
    evcc: Any = "now",
    plugged: bool = True,
    hook: Hook | None = None,
    **settings: Any,
) -> AsyncIterator[Tale]:
    """All of them, living. evcc: its mode at first. plugged: a car is there from the beginning. settings: of the
    program, beside addresses and mode."""
    faults = FAULTS[fault]
    numbers = tuple(range(1, faults.connectors + 1))
    clock = LoopClock(START_UTC)
    options = central or CentralOptions(limit_amperes=6.0, connectors=numbers)
    peer = CentralSystemSimulator(clock=clock, mode=evcc, options=options)
    decisions: list[Notify | Record] = []
    happenings: list[Happening] = []
    async with AsyncExitStack() as stack:
        with leaping().still():
            server = await stack.enter_async_context((hook or Hook()).serving())
            await stack.enter_async_context(living(peer))
            await peer.started.wait()
            values = fixed(
                listen="127.0.0.1:0",
                central_system=f"ws://127.0.0.1:{peer.port}",
                mode=mode,
                **{"webhook": {"url": server.url}, "admin": {"listen": "127.0.0.1:0"}, **settings},
            )
            started = running(values, program_clock(START_UTC), lambda _, each: decisions.append(each))
            program = AsyncExitStack()
            proxy = await program.enter_async_context(started)
        how = {"options": wallbox, "connection": connection}
        box = ChargePointSimulator(proxy.url, BOX, faults, clock, **how, narrator=happenings.append)
        if plugged:
            for number in numbers:
                box.plug_in(number)
        told = Tale(clock, peer, proxy, box, server, decisions, happenings, values, program)
        stack.push_async_callback(told.ends)
        await stack.enter_async_context(living(box))
        yield told


async def page_of(told: Tale) -> Page:
    """A scrape while time stands."""
    with leaping().still():
        return await scrape(told.proxy)
