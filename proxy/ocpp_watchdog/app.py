"""The only place where parts are built and joined. Start and stop are one function with one ``yield``."""

from __future__ import annotations

import asyncio
import logging
import math
import platform
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from ocpp_watchdog import __version__, fast, logs
from ocpp_watchdog.bridging import bridge_settings, by_mqtt
from ocpp_watchdog.core.decisions import Notify, Record, StationView
from ocpp_watchdog.core.supervision import SupervisedStation
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.known import acquainted, count_repairs, menders, read_knowledge
from ocpp_watchdog.parts import Policies, admin_access, call_settings, new_journal, relay_settings
from ocpp_watchdog.provenance import changes
from ocpp_watchdog.setting_kinds import in_url, split_address
from ocpp_watchdog.settings import BadSettingError, Settings, load, supervision
from ocpp_watchdog.shell.care import Care, Reach
from ocpp_watchdog.shell.clock import Clock, stopwatch
from ocpp_watchdog.shell.dispatcher import Dispatcher
from ocpp_watchdog.shell.metrics import Metrics, RelayNumbers, Told
from ocpp_watchdog.shell.mqtt import Bridge
from ocpp_watchdog.shell.notify.callout import CallOuts
from ocpp_watchdog.shell.notify.heartbeat import Heartbeat
from ocpp_watchdog.shell.notify.notices import Notices
from ocpp_watchdog.shell.owner import Owner, Subject
from ocpp_watchdog.shell.records import Records
from ocpp_watchdog.shell.relay import REFUSALS, Contest, Duplicate, Relay, RelayCounters, central_system
from ocpp_watchdog.shell.session import Session, Watch, Watches
from ocpp_watchdog.shell.supervisor import READY, STOPPING, Supervisor
from ocpp_watchdog.shell.sweeping import settle, sweep
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.web.admin import Condition, application, serving
from ocpp_watchdog.shell.web.api import Sources
from ocpp_watchdog.ways import beat, deliveries

if TYPE_CHECKING:
    from ocpp_watchdog.shell.journal.journal import Journal

log = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
SWITCH_SECONDS = 0.0005
"""So long a thread of the journal keeps the interpreter while frames wait for it; Python's own 5 ms show in the p99."""

FIXED = ("listen", "admin", "journal", "frames", "keep")

Witness = Callable[[ChargePointId, Notify | Record], None]


@dataclass(slots=True)
class Proxy:
    """The whole program, for whoever starts it. url: what a wallbox is given, without its id; both addresses are
    empty until it runs."""

    clock: Clock
    tally: Tally
    watches: Watches
    records: Records
    notices: Notices
    heartbeat: Heartbeat
    care: Care
    relay: Relay
    metrics: Metrics
    owner: Owner
    calls: CallOuts
    mqtt: Bridge
    settings: Settings
    journal: Journal | None = None
    url: str = ""
    admin_url: str = ""


def build(settings: Settings, clock: Clock, witness: Witness | None = None) -> Proxy:
    """Make and join the parts; nothing runs yet. Raises BadSettingError for what cannot be used.

    witness: sees every notice and record (the demo tells its story by it).
    """
    tally, records, loads, policies = Tally(), Records(), fast.decoder(), Policies()
    journal = new_journal(settings, clock, tally, loads)
    count_repairs(settings, tally)
    read_knowledge(clock, tally)
    notices = Notices(settings.language, clock.now, tally)
    heartbeat = Heartbeat(beat(settings), lambda: tally.is_fresh(clock.mono()), tally)
    care = Care(clock, tally, notices.tell_about_ourselves, lambda: relay.counters.faults)

    def notify(charge_point: ChargePointId, notice: Notify) -> None:
        if witness is not None:
            witness(charge_point, notice)
        notices.tell(charge_point, notice)

    def record(charge_point: ChargePointId, fact: Record) -> None:
        if witness is not None:
            witness(charge_point, fact)
        records.keep(charge_point, fact)
        if journal is not None:
            journal.record(charge_point, fact)

    def station(charge_point: ChargePointId) -> SupervisedStation:
        recognise = acquainted(proxy.settings, charge_point, clock, tally)
        return SupervisedStation(charge_point, policies.of(charge_point, proxy.settings), loads, new_id, recognise)

    before_step = None if journal is None else journal.before_step
    calls = CallOuts(call_settings(settings))
    dispatcher = Dispatcher(
        clock,
        tally,
        notify,
        record,
        care.unanswered,
        warn=notices.warn,
        call_out=calls.call,
        before_step=before_step,
    )
    watches = (
        Watches(clock, tally, dispatcher, station)
        if journal is None
        else Watches(clock, tally, dispatcher, station, recall=journal.recalled, changed=journal.changed)
    )
    if journal is not None:
        journal.memory_of = watches.memory
    relay = Relay(
        relay_settings(settings),
        lambda charge_point, peer: Session(watches, None if journal is None else journal.tap, journal),
        delay=tally.delay,
        stopwatch=stopwatch,
        duplicate=lambda found: fought(care, found),
        menders=menders(lambda: proxy.settings, clock),
    )
    collector = metrics(clock, tally, watches, relay, journal)
    orders = owner(clock, watches, record, notices)
    bridge = Bridge(clock, tally, lambda: [(watch.charge_point, watch.station.view) for watch in watches], orders)
    parts = (clock, tally, watches, records, notices, heartbeat, care, relay, collector, orders, calls, bridge)
    proxy = Proxy(*parts, settings, journal)
    speak_by(settings, proxy)
    return proxy


def speak_by(settings: Settings, proxy: Proxy) -> None:
    """From now on tell people and the broker as these settings say. Raises BadSettingError, and nothing has changed."""
    ways, broker = deliveries(settings), bridge_settings(settings, __version__)
    proxy.mqtt.use(broker)
    proxy.notices.use(settings.language, [*ways, *by_mqtt(proxy.mqtt, broker)])


@asynccontextmanager
async def running(settings: Settings, clock: Clock, witness: Witness | None = None) -> AsyncIterator[Proxy]:
    """Start the whole proxy, give it, and stop it at the end of the block.

    Raises BadSettingError when a certificate cannot be used, OSError when an address cannot be bound.
    """
    proxy = build(settings, clock, witness)
    beside = {"notify": proxy.notices.ways.run, "heartbeat": proxy.heartbeat.run, "care": proxy.care.run}
    beside |= {"call out": proxy.calls.run, "mqtt": proxy.mqtt.run}
    async with AsyncExitStack() as stack:
        if proxy.journal is not None:
            beside["journal"] = proxy.journal.run
            await proxy.journal.start()
            stack.push_async_callback(proxy.journal.stop)
            if clock.not_before(proxy.journal.newest_utc() or 0.0):
                log.warning("the clock of this machine is not set; until it is, time goes on from the journal")
            proxy.watches.expect(proxy.journal.unfinished())
            say_what_is_open(proxy)
        await stack.enter_async_context(background(beside, clock, proxy.tally))
        stack.push_async_callback(proxy.notices.ways.flush)
        stack.callback(proxy.watches.stop)
        pages = serving(administration(settings, proxy), *split_address(settings.admin.listen))
        admin_host, admin_port = await stack.enter_async_context(pages)
        await stack.enter_async_context(proxy.relay)  # its end gives every session a Close 1012 (DESIGN R13)
        host, _ = split_address(settings.listen)
        scheme = "ws" if settings.tls.certificate is None else "wss"
        proxy.url = f"{scheme}://{in_url(host)}:{proxy.relay.port}"
        proxy.admin_url = f"http://{in_url(admin_host)}:{admin_port}"
        yield proxy


def say_what_is_open(proxy: Proxy) -> None:
    """An alarm that was decided right before the end may have been lost with it: say once more what is open."""
    for watch in proxy.watches:
        if not watch.is_idle:
            proxy.notices.tell_about_ourselves("still_open", proxy.clock.utc(), watch.charge_point)


def administration(settings: Settings, proxy: Proxy) -> web.Application:
    """The pages of this program."""
    tally, counters = proxy.tally, proxy.relay.counters
    central = central_system(settings.central_system)
    reach = Reach(central.host, central.port, lambda: counters.central_system_connections > 0)
    return application(
        look=proxy.metrics.frozen,
        health=lambda: health(tally),
        readiness=lambda: readiness(reach),
        access=admin_access(settings),
        refused=lambda reason: tally.admin_refusals.update((reason,)),
        failed=lambda part: tally.fault(part, proxy.clock.now().mono),
        title=f"ocpp-watchdog {__version__}",
        sources=Sources(
            clock=proxy.clock,
            views=lambda: [shown(watch, proxy.settings) for watch in proxy.watches],
            kept=lambda: [(fact.charge_point, fact.record) for fact in proxy.records.facts],
            orders=proxy.owner,
        ),
    )


def shown(watch: Watch, settings: Settings) -> Callable[[Moment], StationView]:
    """A look at one charge point, with what is repaired for it."""
    repairs = settings.repairs(watch.charge_point).names
    return lambda now: replace(watch.station.view(now), repairs=repairs)


def new_id() -> str:
    """A fresh unique id of ours: ``wd-`` and 16 random characters."""
    return "wd-" + secrets.token_hex(8)


# -- what is shown of it -----------------------------------------------------------------------------------------


def metrics(clock: Clock, tally: Tally, watches: Watches, relay: Relay, journal: Journal | None = None) -> Metrics:
    """The collector, fed from here."""
    counters = relay.counters
    build = {"version": __version__, "python": platform.python_version()}
    return Metrics(
        clock,
        tally,
        lambda: [watch.station.view for watch in watches],
        lambda: relay_numbers(counters),
        build,
        told=(
            lambda: sessions_told(watches, relay.settings.admitted or ()),
            lambda: central_system_told(counters),
            *(() if journal is None else (journal.told,)),
        ),
    )


def sessions_told(watches: Watches, admitted: Iterable[str]) -> Told:
    """What the shell keeps of each charge point beside its station. admitted: ids that are expected."""
    return {
        "connected": {(name,): 0.0 for name in admitted if watches.get(ChargePointId(name)) is None},
        "sessions": {(watch.charge_point,): watch.sessions for watch in watches},
        "last_message_timestamp_seconds": {
            (watch.charge_point,): math.nan if watch.heard_utc is None else watch.heard_utc for watch in watches
        },
    }


def central_system_told(counters: RelayCounters) -> Told:
    """Is evcc there? As far as it is known without knocking: an open session, or how the last dial went."""
    answers = True if counters.central_system_connections else counters.central_system_answers
    return {"central_system_reachable": {(): math.nan if answers is None else float(answers)}}


def relay_numbers(counters: RelayCounters) -> RelayNumbers:
    """The relay's counters as the metrics want them."""
    return RelayNumbers(
        connections={
            "charge_point": counters.charge_point_connections,
            "central_system": counters.central_system_connections,
        },
        refusals=dict.fromkeys(REFUSALS, 0) | counters.refusals,
        duplicates=counters.duplicates,
        injected=counters.injected,
        withheld=counters.withheld,
        held=counters.held,
    )


def owner(clock: Clock, watches: Watches, record: Callable[[ChargePointId, Record], None], notices: Notices) -> Owner:
    """Who takes the owner's orders."""

    def find(charge_point: ChargePointId) -> Subject | None:
        watch = watches.get(charge_point)
        if watch is None:
            return None
        return Subject(charge_point, watch.station, partial(watches.judge, watch))

    return Owner(
        clock,
        find,
        record,
        alarm=lambda at_utc: notices.tell_about_ourselves("test_alarm", at_utc),
        failed=lambda: watches.tally.fault("owner", clock.now().mono),
    )


def fought(care: Care, found: Duplicate) -> None:
    """A second connection of a live id; that a dead session was replaced is worth no alarm."""
    if found.outcome is not Contest.REPLACED:
        care.duplicate(found.charge_point, found.newcomer, found.holder)


def health(tally: Tally) -> Condition:
    """The loop lives, or nobody would answer; the judge lives unless it fails again and again."""
    return Condition("ok") if tally.is_judging else Condition("the judge fails on every message", is_good=False)


async def readiness(reach: Reach) -> Condition:
    """Charge points can dial, and what they reach is there."""
    is_there = await reach.is_there()
    return Condition("ready") if is_there else Condition("the central system cannot be reached", is_good=False)


# -- start and stop ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def background(
    works: Mapping[str, Callable[[], Awaitable[None]]], clock: Clock, tally: Tally
) -> AsyncIterator[None]:
    """Run these for ever beside the block, each begun again after it broke; cancelled when the block ends."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_kept_up(name, work, clock, tally), name=name) for name, work in works.items()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as wrapped:
        raise wrapped.exceptions[0] from None  # the tasks never fail, so it is the block's own exception


async def _kept_up(name: str, work: Callable[[], Awaitable[None]], clock: Clock, tally: Tally) -> None:
    while True:
        try:
            await work()
        except Exception:  # top of a task
            tally.fault(name, clock.now().mono)
            log.exception("%s broke and is started again", name)
        await asyncio.sleep(RESTART_SECONDS)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; reload what can be reloaded on SIGHUP."""
    loop, signals = asyncio.get_running_loop(), asyncio.Queue[signal.Signals]()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, signals.put_nowait, number)
    supervisor = Supervisor(*supervision())
    async with (
        running(settings, Clock()) as proxy,
        background({"supervisor": supervisor.ping, "memory": sweep}, proxy.clock, proxy.tally),
    ):
        supervisor.say(READY)
        sys.setswitchinterval(SWITCH_SECONDS)
        settle()
        log.info("charge points dial %s/<id>, the central system is %s", proxy.url, settings.central_system)
        log.info("metrics and health are on %s, mode is %s", proxy.admin_url, settings.mode)
        while await signals.get() is signal.SIGHUP:
            settings = await reload(settings, proxy)
        supervisor.say(STOPPING)
        log.info("stopping")


async def reload(settings: Settings, proxy: Proxy) -> Settings:
    """Read the settings again; gives those in effect. A broken file changes nothing; what needs a restart is said."""
    try:
        fresh = load(**settings.flags)
        relay = relay_settings(fresh)
        speak_by(fresh, proxy)
    except BadSettingError as error:
        log.error("the settings are kept as they were: %s", error)
        return settings
    for name in changes(settings, fresh):
        log.info("%s %s", name, "is reloaded" if is_reloadable(name) else "has changed and needs a restart")
    host, port = split_address(settings.listen)
    await proxy.relay.reload(replace(relay, host=host, port=port))
    logs.configure(fresh.log.level, fresh.log.format)
    proxy.heartbeat.beat = beat(fresh)
    proxy.calls.settings = call_settings(fresh)
    proxy.settings = fresh.model_copy(update={name: getattr(settings, name) for name in FIXED})
    judge_by(proxy.settings, proxy)
    count_repairs(proxy.settings, proxy.tally)
    return proxy.settings


def judge_by(settings: Settings, proxy: Proxy) -> None:
    """Let every known charge point be judged by these numbers, in this mode; what is known of it stays."""
    for watch in proxy.watches:
        policy = settings.policy(watch.charge_point)
        recognise = acquainted(settings, watch.charge_point, proxy.clock, proxy.tally)
        proxy.watches.judge(watch, partial(watch.station.use, policy, recognise))


def is_reloadable(name: str) -> bool:
    """Whether a change of this setting takes effect without a restart (a repair: at the next connection)."""
    return name.split(".", maxsplit=1)[0] not in FIXED
