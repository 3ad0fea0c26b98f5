"""Puts the three on one machine, lets the day of the field case pass in time lapse, and says how it ended.

Everything is real but the wallbox and evcc: sockets, relay, judge, metrics. Exit code 0: at the end no current flows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import ClientSession

from ocpp_watchdog.analysis.verb import written
from ocpp_watchdog.app import Proxy, running
from ocpp_watchdog.core.decisions import Ending, EpisodeView, Mode, NoticeKind, StationView, StepOutcome
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.demo import record
from ocpp_watchdog.demo.story import ZONE, Say, Story, local_time
from ocpp_watchdog.settings import Settings, fixed
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.faults import FAULTS, Faults
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.demo import DEMO, FAULT_SUMMARIES
from ocpp_watchdog.texts.wording import energy, number

BOX = ChargePointId("ACTEC-EV-AC22K")
BEGINS_UTC = 1_759_324_352.0
"""2025-10-01 15:12:32 local time: ten seconds before the first order."""

FIRST_ORDER_SECONDS = 10.0
SET_UP_SECONDS = 240.0
FIRST_AMPERES = 6.0
PLUGGED_BEFORE_SECONDS = 0.5
LOOK_SECONDS = 0.5
OBEDIENT_SECONDS = 150.0
LONGEST_SECONDS = 360.0
AFTERWARDS_SECONDS = 2.0
NO_CURRENT_AMPERES = 1.0
SHOWN_METRICS = (
    "episodes_total",
    "steps_total",
    "observed_steps_total",
    "energy_against_orders",
    "commanded_limit_amperes",
    "measured_current",
)


class UnknownFaultError(Exception):
    """There is no such fault; its text lists those there are."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """speed: simulated seconds per second. once: end with the episode. pace: of the orders before the stop.
    report: where the story's report is written, None: nowhere."""

    fault: str = "ignores-zero"
    speed: float = 30.0
    once: bool = False
    observe: bool = False
    language: Language = Language.EN
    pace: float = 1.0
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Actors:
    """Everybody on the stage."""

    clock: SimClock
    central: CentralSystemSimulator
    proxy: Proxy
    box: ChargePointSimulator
    story: Story

    @property
    def connectors(self) -> Iterable[int]:
        """Numbers of the wallbox's connectors."""
        return self.box.wallbox.connectors

    @property
    def amperes(self) -> float:
        """What truly flows, on the connector where most does."""
        return max(self.box.current_amperes(number) for number in self.connectors)

    def view(self) -> StationView | None:
        """The proxy's view of the wallbox; None before it connected."""
        watch = self.proxy.watches.get(BOX)
        return None if watch is None else watch.station.view(self.proxy.clock.now())

    def open_episodes(self) -> list[EpisodeView]:
        """Of each connector that has one."""
        view = self.view()
        return [seen.episode for seen in view.connectors if seen.episode is not None] if view else []


def faults_of(name: str) -> Faults:
    """The fault of this name. Raises UnknownFaultError."""
    if name not in FAULTS:
        raise UnknownFaultError(f"fault: there is no {name!r}; there are {', '.join(FAULTS)}")
    return FAULTS[name]


async def play(options: DemoOptions, say: Say) -> int:
    """Play the story; gives the exit code. Without ``once`` the scene stays open until it is cancelled."""
    faults_of(options.fault)
    logging.getLogger("ocpp_watchdog").addHandler(logging.NullHandler())
    with TemporaryDirectory(prefix="ocpp-watchdog-demo-") as folder:
        return await _play(options, say, Path(folder))


async def _play(options: DemoOptions, say: Say, folder: Path) -> int:
    """folder: for the journal."""
    faults = faults_of(options.fault)
    connectors = tuple(range(1, faults.connectors + 1))
    story = Story(say, options.language, len(connectors))
    clock = SimClock(options.speed, BEGINS_UTC)
    central = CentralSystemSimulator(
        clock=clock, options=CentralOptions(connectors=connectors), narrator=story.happened
    )
    async with living(central):
        await central.started.wait()
        proxy_clock = Clock(options.speed, clock.utc())
        async with running(_settings(options, central.port, folder), proxy_clock, story.decided) as proxy:
            box = ChargePointSimulator(proxy.url, BOX, faults, clock, narrator=story.happened)
            actors = Actors(clock, central, proxy, box, story)
            _prologue(options, actors, say)
            async with living(box):
                code = await _act(options, actors)
                await _epilogue(options, actors, code, say)
                _report(options, actors, say)
                try:
                    if not options.once:
                        await asyncio.Event().wait()
                finally:
                    story.is_told = False
    return code


def _settings(options: DemoOptions, port: int, folder: Path) -> Settings:
    """Loopback and free ports; nothing is read from this machine."""
    return fixed(
        listen="127.0.0.1:0",
        central_system=f"ws://127.0.0.1:{port}",
        mode=Mode.OBSERVE if options.observe else Mode.ENFORCE,
        language=options.language,
        admin={"listen": "127.0.0.1:0"},
        journal=f"sqlite:///{folder}/journal.db",
    )


async def _act(options: DemoOptions, actors: Actors) -> int:
    """The orders of the day, then look until it is over. 0: no current flows; 1: it does, or evcc gave up before."""
    actors.story.look = lambda: _look(actors)
    try:
        async with asyncio.timeout(actors.clock.real_seconds(SET_UP_SECONDS)):
            await actors.central.wait_until_set_up(BOX)
    except TimeoutError:
        return 1
    await actors.clock.sleep_until(FIRST_ORDER_SECONDS - PLUGGED_BEFORE_SECONDS)
    _look(actors)
    actors.story.begin()
    actors.central.set_limit(FIRST_AMPERES)
    actors.central.set_mode("now")  # before the car comes: in mode off evcc begins with a stop of its own
    for connector in actors.connectors:
        actors.box.plug_in(connector)
    await actors.clock.sleep_until(FIRST_ORDER_SECONDS)
    async with asyncio.TaskGroup() as group:
        orders = group.create_task(actors.central.run_field_case(BOX, options.pace), name="orders of the day")
        longest = OBEDIENT_SECONDS if options.observe else LONGEST_SECONDS
        while not (orders.done() and _is_over(actors, longest)):
            _look(actors)
            await actors.clock.sleep(LOOK_SECONDS)
    await actors.clock.sleep(AFTERWARDS_SECONDS)
    _look(actors)
    return 0 if actors.amperes < NO_CURRENT_AMPERES else 1


def _look(actors: Actors) -> None:
    view = actors.view()
    for seen in view.connectors if view else ():
        believed = actors.central.believed_power_watts(BOX, seen.connector) if seen.connector else None
        actors.story.seen(seen, believed, actors.proxy.clock.now())


def _is_over(actors: Actors, longest_seconds: float) -> bool:
    story, now = actors.story, actors.proxy.clock.now()
    if story.stop_ordered is None:
        return bool(story.closed_episodes)
    waited = now.mono - story.stop_ordered.mono
    if NoticeKind.EXHAUSTED in story.kinds or waited > longest_seconds:
        return True
    return not story.open_episodes and (bool(story.closed_episodes) or waited > OBEDIENT_SECONDS)


# -- before and after ----------------------------------------------------------------------------------------------


def _prologue(options: DemoOptions, actors: Actors, say: Say) -> None:
    language = options.language
    say(DEMO["title"](language, speed=number(options.speed, 0, language)))
    say(DEMO["fault"](language, fault=options.fault, summary=FAULT_SUMMARIES[options.fault](language)))
    say(DEMO["line"](language, central=f"ws://127.0.0.1:{actors.central.port}", proxy=actors.proxy.url))
    say("")


async def _epilogue(options: DemoOptions, actors: Actors, code: int, say: Say) -> None:
    language, story = options.language, actors.story
    story.is_told = not options.once
    say("")
    say(DEMO[_verdict(actors, code)](language, amperes=number(actors.amperes, 1, language)))
    for episode in (*story.closed_episodes, *actors.open_episodes()):
        say(DEMO["energy"](language, energy=energy(episode.energy_wh, language)))
        for step in episode.steps:
            if step.outcome is StepOutcome.PROVED and step.sent and story.stop_ordered:
                after = step.sent.mono - story.stop_ordered.mono
                when = local_time(step.sent.utc)
                say(DEMO["after"](language, seconds=number(after, 0, language), when=when))
    say(DEMO["metrics"](language, url=f"{actors.proxy.admin_url}/metrics"))
    for line in await _metrics(actors.proxy):
        say(f"  {line}")
    if not options.once:
        say(DEMO["stays"](language))


def _report(options: DemoOptions, actors: Actors, say: Say) -> None:
    """What passed on the wallbox's line, as a report."""
    if options.report is None:
        return
    end = Moment(actors.clock.utc(), actors.clock.mono())
    offset = int(ZONE.utcoffset(None).total_seconds())
    report = record.report_of(actors.box.log.entries, end, offset, options.language)
    path = written(report, options.report, options.language)[0]
    say(DEMO["report"](options.language, path=str(path)))


def _verdict(actors: Actors, code: int) -> str:
    """Key of the closing sentence."""
    if code:
        return "verdict.flows" if actors.story.is_begun else "verdict.no_set_up"
    episodes = (*actors.story.closed_episodes, *actors.open_episodes())
    if not episodes:
        return "verdict.obeyed"
    is_proved = all(episode.ending is Ending.OBEYED for episode in episodes)
    return "verdict.stopped" if is_proved else "verdict.unproven"


async def _metrics(proxy: Proxy) -> list[str]:
    """The lines of /metrics that tell this story, zeros left out, read over HTTP like Prometheus does."""
    async with ClientSession() as session, session.get(f"{proxy.admin_url}/metrics") as response:
        text = await response.text()
    told = (line for line in text.splitlines() if line.removeprefix("ocpp_watchdog_").startswith(SHOWN_METRICS))
    return [line for line in told if not line.endswith((" 0.0", " NaN")) or "commanded_limit" in line]
