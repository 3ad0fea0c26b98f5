"""What is wrong, and what to do about it: each check is one line with its remedy.

Looks at the settings, this machine, the central system and, where it runs, the proxy. Changes nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ocpp_watchdog import __version__
from ocpp_watchdog.bridging import bridge_settings
from ocpp_watchdog.ctl.client import target
from ocpp_watchdog.parts import journal_place
from ocpp_watchdog.setting_kinds import ANY_HOST, in_url, split_address
from ocpp_watchdog.settings import BadSettingError, Settings
from ocpp_watchdog.setup import broker, central, here, running
from ocpp_watchdog.setup.broker import Broker
from ocpp_watchdog.setup.central import Central
from ocpp_watchdog.setup.running import Running
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.setup import DOCTOR, MARKS

SENT_AWAY = ("unreachable", "silent", "central_system", "not_admitted", "no_password", "wrong_password")
"""Why a charge point that dials gets no session, by the reasons of the metric."""
MOST_SKEW_SECONDS = 30.0
DELIVERED, UNDELIVERED = "delivered", ("undelivered", "dropped")


class State(StrEnum):
    """What a check came to."""

    GOOD = "good"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found. code: a key of ``DOCTOR``; values: what its sentence names."""

    code: str
    state: State
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        """The sentence, with its remedy."""
        return DOCTOR[self.code](language, **self.values)


def good(code: str, **values: str) -> Found:
    """Nothing to do."""
    return Found(code, State.GOOD, values)


def problem(code: str, **values: str) -> Found:
    """Something to do."""
    return Found(code, State.PROBLEM, values)


async def examine(settings: Settings, now_utc: float) -> list[Found]:
    """Every check, in the order in which a person would mend things. now_utc: what this machine's clock says."""
    proxy = await running.ask(settings)
    found = [*_proxy(settings, proxy), *_ports(settings, proxy)]
    found.append(_central(settings, await central.look(settings.central_system, settings.central_system_tls.ca)))
    found.append(_clock(here.is_clock_set(now_utc)))
    found += _journal(settings, proxy)
    found += await _broker(settings)
    if proxy is not None and proxy.charge_points is not None:
        found += _charge_points(settings, proxy.charge_points, proxy.numbers)
        found += _messages(settings, proxy.numbers)
    return found


def report(found: list[Found], language: Language, say: Callable[[str], None]) -> int:
    """Say each line and the sum; gives the exit code: 1 when there is a problem."""
    for each in found:
        say(f"{MARKS[each.state](language)}  {each.text(language)}")
    problems = sum(each.state is State.PROBLEM for each in found)
    say(DOCTOR["problems"](language, count=str(problems)) if problems else DOCTOR["all_well"](language))
    return 1 if problems else 0


def as_values(found: list[Found], language: Language) -> dict[str, object]:
    """The same for a program."""
    checks = [
        {"check": each.code, "state": each.state.value, "text": each.text(language), "values": dict(each.values)}
        for each in found
    ]
    return {"schema": "ocpp-watchdog/doctor/1", "checks": checks}


# -- the checks --------------------------------------------------------------------------------------------------


def _proxy(settings: Settings, proxy: Running | None) -> Iterator[Found]:
    address = target(settings, None).address
    if proxy is None:
        yield Found("not_running", State.UNKNOWN, {"address": address})
        return
    yield good("running", address=address) if proxy.is_good else problem("judge_fails")
    if proxy.charge_points is None:
        yield problem("no_password")
    if proxy.numbers.get("ocpp_watchdog_degraded", 0.0) > 0.0:
        yield problem("degraded", count=f"{proxy.numbers.get('ocpp_watchdog_faults_total', 0.0):.0f}")


def _ports(settings: Settings, proxy: Running | None) -> Iterator[Found]:
    """Only where the proxy does not run: else it is the one who holds them."""
    if proxy is not None:
        return
    for name, address in (("listen", settings.listen), ("admin.listen", settings.admin.listen)):
        host, port = split_address(address)
        why = here.why_not_free(host, port)
        if why is None:
            yield good("port_free", address=address, name=name)
        elif why == errno.EADDRINUSE:
            yield problem("port_taken", address=address, name=name)
        else:
            yield problem("port_impossible", address=address, name=name, why=os.strerror(why))


def _central(settings: Settings, what: Central) -> Found:
    state = {Central.GOOD: State.GOOD, Central.REFUSES: State.UNKNOWN}.get(what, State.PROBLEM)
    return Found(f"central_{what}", state, {"url": settings.central_system})


def _clock(is_set: bool | None) -> Found:
    if is_set is None:
        return Found("clock_unknown", State.UNKNOWN)
    return good("clock_set") if is_set else problem("clock_unset")


def _journal(settings: Settings, proxy: Running | None) -> Iterator[Found]:
    """Of a running proxy its own word counts: it may be somebody else than who asks here."""
    place = journal_place(settings)
    if place is None:
        yield Found("journal_off", State.UNKNOWN)
    elif proxy is None:
        folder = place[1]
        why = here.why_not_writable(folder)
        if why is None:
            yield good("journal_good", path=str(folder))
        else:
            yield problem("journal_bad", path=str(folder), why=os.strerror(why))
    elif proxy.numbers.get("ocpp_watchdog_degraded") and proxy.numbers.get("ocpp_watchdog_faults_total:journal"):
        yield problem("journal_fails")


async def _broker(settings: Settings) -> list[Found]:
    """Nothing where none is configured."""
    try:
        wanted = bridge_settings(settings, __version__)
    except BadSettingError as error:
        return [problem("broker_unusable", why=str(error))]
    if wanted is None:
        return []
    what, why = await broker.look(wanted)
    state = State.GOOD if what is Broker.GOOD else State.PROBLEM
    return [Found(f"broker_{what}", state, {"address": f"{in_url(wanted.host)}:{wanted.port}", "why": why})]


def line_for(settings: Settings, charge_point: str = "<id>") -> str:
    """What is entered in the wallbox."""
    host, port = split_address(settings.listen)
    host = here.address() if host in ANY_HOST else in_url(host)
    scheme = "ws" if settings.tls.certificate is None else "wss"
    return f"{scheme}://{host}:{port}/{charge_point}"


def _charge_points(settings: Settings, seen: object, numbers: Mapping[str, float]) -> Iterator[Found]:
    stations = [each for each in seen if isinstance(each, dict)] if isinstance(seen, list) else []
    names = {str(each.get("charge_point")) for each in stations}
    turned_away = [why for why in SENT_AWAY if numbers.get(f"ocpp_watchdog_handshake_refusals_total:{why}")]
    if not names and turned_away:
        yield problem("sent_away", reasons=", ".join(turned_away))
    elif not names and not settings.charge_points:
        yield problem("nobody_dialled", line=line_for(settings))
    for name in settings.charge_points:
        if name not in names:
            yield problem("never_seen", charge_point=name, line=line_for(settings, name))
    for each in stations:
        yield from _charge_point(str(each.get("charge_point")), each)


def _charge_point(name: str, seen: Mapping[str, Any]) -> Iterator[Found]:
    if not seen.get("connected"):
        yield problem("not_connected", charge_point=name)
        return
    yield good("connected", charge_point=name)
    skew = seen.get("clock_skew_seconds")
    if isinstance(skew, int | float) and abs(skew) > MOST_SKEW_SECONDS:
        yield problem("skewed", charge_point=name, seconds=f"{skew:+.0f}")
    for connector in seen.get("connectors") or ():
        yield from _connector(name, connector)


def _connector(name: str, seen: Mapping[str, Any]) -> Iterator[Found]:
    which = {"charge_point": name, "connector": str(seen.get("connector"))}
    reading = seen.get("reading")
    if seen.get("phase") == "blind":
        yield problem("blind", last=str(seen.get("reading_at") or "-"), **which)
    elif isinstance(reading, dict):
        has_current = reading.get("current") is not None or any(
            value is not None for value in reading.get("currents") or ()
        )
        yield good("readings", **which) if has_current else problem("no_current", **which)


def _messages(settings: Settings, numbers: Mapping[str, float]) -> Iterator[Found]:
    lost = sum(numbers.get(f"ocpp_watchdog_notifications_total:{outcome}", 0.0) for outcome in UNDELIVERED)
    arrived = numbers.get(f"ocpp_watchdog_notifications_total:{DELIVERED}", 0.0)
    ways = (settings.webhook.url, settings.ntfy.url, settings.apprise.urls, settings.mqtt.url)
    if not any(ways):
        yield Found("no_way", State.UNKNOWN)
    elif lost:
        yield problem("undelivered", count=f"{lost:.0f}")
    elif arrived:
        yield good("delivered", count=f"{arrived:.0f}")
