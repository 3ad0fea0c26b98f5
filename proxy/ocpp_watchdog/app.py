"""The only place where parts are built and joined. Start and stop are one function with one ``yield``."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import secrets
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from ocpp_watchdog import __version__, logs
from ocpp_watchdog.core.decisions import Notify, Record
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.settings import BadSettingError, Settings, changes, is_loopback, load, split_address
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.dispatcher import Dispatcher
from ocpp_watchdog.shell.metrics import Metrics, RelayNumbers
from ocpp_watchdog.shell.notify.notices import Notices
from ocpp_watchdog.shell.notify.webhook import Webhook, WebhookSettings
from ocpp_watchdog.shell.records import Records
from ocpp_watchdog.shell.relay import Relay, RelayCounters, RelaySettings
from ocpp_watchdog.shell.session import Session, Watches
from ocpp_watchdog.shell.tally import PARTS, Tally
from ocpp_watchdog.shell.web.admin import AdminAccess, Condition, application, serving

log = logging.getLogger(__name__)

REACH_SECONDS = 2.0
REACH_MEMORY_SECONDS = 5.0
LOOK_SECONDS = 10.0
RESTART_SECONDS = 5.0
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
RELOADABLE = ("language", "log.", "webhook.")

Witness = Callable[[ChargePointId, Notify | Record], None]


@dataclass(frozen=True, slots=True)
class Proxy:
    """The running program, for whoever started it. url: what a wallbox is given, without its id."""

    clock: Clock
    tally: Tally
    watches: Watches
    records: Records
    notices: Notices
    webhook: Webhook
    relay: Relay
    registry: CollectorRegistry
    url: str
    admin_url: str


@asynccontextmanager
async def running(settings: Settings, clock: Clock, witness: Witness | None = None) -> AsyncIterator[Proxy]:
    """Start the whole proxy, give it, and stop it at the end of the block.

    witness: sees every notice and record (the demo tells its story by it). Raises BadSettingError when a certificate
    cannot be used, OSError when an address cannot be bound.
    """
    tally, records = Tally(), Records()
    webhook = Webhook(webhook_settings(settings), tally)
    notices = Notices(settings.language, webhook.post if settings.webhook.url else None)

    def notify(charge_point: ChargePointId, notice: Notify) -> None:
        if witness is not None:
            witness(charge_point, notice)
        notices.tell(charge_point, notice)

    def record(charge_point: ChargePointId, fact: Record) -> None:
        if witness is not None:
            witness(charge_point, fact)
        records.keep(charge_point, fact)

    def station(charge_point: ChargePointId) -> Station:
        return Station(charge_point, settings.policy(charge_point), json.loads, new_id)

    watches = Watches(clock, tally, Dispatcher(clock, tally, notify, record), station)
    relay = Relay(relay_settings(settings), lambda charge_point, peer: Session(watches))
    registry = CollectorRegistry()
    registry.register(metrics(clock, tally, watches, relay.counters))
    care = Care(clock, tally, notices, relay.counters)
    reach = Reach(settings.central_system, relay.counters)
    pages = application(
        registry=registry,
        health=lambda: health(tally),
        readiness=reach.condition,
        access=admin_access(settings),
        refused=lambda reason: tally.admin_refusals.update((reason,)),
        title=f"ocpp-watchdog {__version__}",
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(background({"webhook": webhook.run, "care": care.run}, clock, tally))
        stack.callback(watches.stop)
        admin = await stack.enter_async_context(serving(pages, *split_address(settings.admin.listen)))
        port = await stack.enter_async_context(listening(relay))
        host, _ = split_address(settings.listen)
        scheme = "ws" if settings.tls.certificate is None else "wss"
        yield Proxy(
            clock,
            tally,
            watches,
            records,
            notices,
            webhook,
            relay,
            registry,
            f"{scheme}://{_in_url(host)}:{port}",
            f"http://{_in_url(admin[0])}:{admin[1]}",
        )


# -- parts from settings -----------------------------------------------------------------------------------------


def relay_settings(settings: Settings) -> RelaySettings:
    """What the relay is told. Raises BadSettingError when a certificate cannot be used."""
    host, port = split_address(settings.listen)
    listed = {
        name: None if own.password is None else own.password.get_secret_value()
        for name, own in settings.charge_points.items()
    }
    return RelaySettings(
        central_system=settings.central_system,
        host=host,
        port=port,
        server_tls=_server_tls(settings),
        client_tls=_client_tls(settings),
        connect_timeout=settings.connect_timeout,
        max_message=settings.max_message,
        stall=settings.stall,
        admitted=listed or None,
    )


def webhook_settings(settings: Settings) -> WebhookSettings:
    """What the web hook is told; without an address nothing is ever posted."""
    hook = settings.webhook
    url = "" if hook.url is None else hook.url.get_secret_value()
    return WebhookSettings(url, hook.try_seconds, hook.give_up_seconds, hook.queue)


def admin_access(settings: Settings) -> AdminAccess:
    """Who may look at the pages."""
    host, _ = split_address(settings.admin.listen)
    names = LOOPBACK_NAMES.union(name.lower() for name in settings.admin.allowed_hosts)
    password = settings.admin.password
    return AdminAccess(
        allowed_hosts=names if is_loopback(host) else None,
        password=None if password is None else password.get_secret_value(),
    )


def _server_tls(settings: Settings) -> ssl.SSLContext | None:
    tls = settings.tls
    if tls.certificate is None or tls.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise BadSettingError(f"tls.certificate: cannot be used ({error.strerror or error})") from None
    return context


def _client_tls(settings: Settings) -> ssl.SSLContext | None:
    if urlsplit(settings.central_system).scheme != "wss":
        return None
    try:
        return ssl.create_default_context(cafile=settings.central_system_tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise BadSettingError(f"central_system_tls.ca: cannot be used ({error.strerror or error})") from None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def new_id() -> str:
    """A fresh unique id of ours: ``wd-`` and 16 random characters."""
    return "wd-" + secrets.token_hex(8)


# -- what is shown of it -----------------------------------------------------------------------------------------


def metrics(clock: Clock, tally: Tally, watches: Watches, counters: RelayCounters) -> Metrics:
    """The collector, fed from here."""
    build = {"version": __version__, "python": platform.python_version()}
    return Metrics(
        clock, tally, lambda: [watch.station.view for watch in watches], lambda: relay_numbers(counters), build
    )


def relay_numbers(counters: RelayCounters) -> RelayNumbers:
    """The relay's counters as the metrics want them."""
    return RelayNumbers(
        connections={
            "charge_point": counters.charge_point_connections,
            "central_system": counters.central_system_connections,
        },
        refusals=counters.refusals,
    )


def health(tally: Tally) -> Condition:
    """The loop lives, or nobody would answer; the judge lives unless it fails again and again."""
    return Condition("ok") if tally.is_judging else Condition("the judge fails on every message", is_good=False)


class Reach:
    """Is the central system there? A session says so; else its door is tried, at most every five seconds."""

    def __init__(self, central_system: str, counters: RelayCounters) -> None:
        parts = urlsplit(central_system)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "wss" else 80)
        self._counters = counters
        self._seen = Condition("the central system was not tried yet", is_good=False)
        self._fresh_until = float("-inf")

    async def condition(self) -> Condition:
        """Good when charge points can be served now."""
        if self._counters.central_system_connections > 0:
            return Condition("ready")
        now = asyncio.get_running_loop().time()
        if now >= self._fresh_until:
            self._fresh_until = now + REACH_MEMORY_SECONDS
            self._seen = await self._try()
        return self._seen

    async def _try(self) -> Condition:
        try:
            async with asyncio.timeout(REACH_SECONDS):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return Condition("the central system cannot be reached", is_good=False)
        writer.close()
        return Condition("ready")


class Care:
    """Looks after the program itself, every ten seconds: what is failing, and who fights for an id, is told."""

    def __init__(self, clock: Clock, tally: Tally, notices: Notices, counters: RelayCounters) -> None:
        self._clock = clock
        self._tally = tally
        self._notices = notices
        self._counters = counters
        self._was_degraded = False
        self._duplicates_told = 0
        self._relay_faults = 0

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tell what is new since the last look: once per degraded spell, once per burst of duplicates."""
        now = self._clock.now()
        for _ in range(self._counters.faults - self._relay_faults):
            self._tally.fault("relay", now.mono)
        self._relay_faults = self._counters.faults
        is_degraded = self._tally.is_degraded(now.mono)
        if is_degraded and not self._was_degraded:
            parts = ", ".join(part for part in PARTS if self._tally.faults[part])
            self._notices.tell_about_ourselves("degraded", now.utc, parts=parts)
        self._was_degraded = is_degraded
        if self._counters.duplicates > self._duplicates_told:
            self._duplicates_told = self._counters.duplicates
            self._notices.tell_about_ourselves("duplicate", now.utc)


# -- start and stop ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(relay: Relay) -> AsyncIterator[int]:
    """Let charge points in; gives the port. At the end every session gets its Close 1012 (DESIGN R13)."""
    await relay.start()
    try:
        yield relay.port
    finally:
        await relay.stop()


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
            tally.fault("notify" if name == "webhook" else name, clock.now().mono)
            log.exception("%s broke and is started again", name)
        await asyncio.sleep(RESTART_SECONDS)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; reload what can be reloaded on SIGHUP."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings, Clock()) as proxy:
        loop.add_signal_handler(signal.SIGHUP, Reloader(settings, proxy).reload)
        log.info("charge points dial %s/<id>, the central system is %s", proxy.url, settings.central_system)
        log.info("metrics and health are on %s, mode is %s", proxy.admin_url, settings.mode)
        await stopped.wait()
        log.info("stopping")


class Reloader:
    """SIGHUP: reads the settings again. A broken file changes nothing; what needs a restart is said."""

    def __init__(self, settings: Settings, proxy: Proxy) -> None:
        self._settings = settings
        self._proxy = proxy

    def reload(self) -> None:
        """Take over what can be taken over without ending a session."""
        try:
            fresh = load(**self._settings.flags)
        except BadSettingError as error:
            log.error("the settings are kept as they were: %s", error)
            return
        for name in changes(self._settings, fresh):
            can = name.startswith(RELOADABLE)
            log.info("%s %s", name, "is reloaded" if can else "has changed and needs a restart")
        self._settings = self._settings.model_copy(
            update={"language": fresh.language, "log": fresh.log, "webhook": fresh.webhook}
        )
        logs.configure(fresh.log.level, fresh.log.format)
        self._proxy.webhook.use(webhook_settings(fresh))
        self._proxy.notices.language = fresh.language
        self._proxy.notices.post = self._proxy.webhook.post if fresh.webhook.url else None
