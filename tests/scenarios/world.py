"""A charge point, a central system and a station that have just met: the beginning of most scenarios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ocpp_watchdog.core.decisions import NoticeKind, Phase
from ocpp_watchdog.core.policy import Policy
from scenarios.central import Central
from scenarios.oracle import CLOSING, complaints
from scenarios.peers import Box, Traits
from scenarios.playbook import Playbook, live_again
from scenarios.truth import verdict

FIRST_READING = 3.0
ORDERED = 120.0
IGNORES = Traits(obeys_after=None)
SLOW = replace(IGNORES, interval=60.0)


@dataclass
class World:
    """ordered: seconds after the start when 0 A was ordered last."""

    traits: Traits = field(default_factory=Traits)
    policy: Policy = field(default_factory=Policy)
    remote_start: bool = False
    transaction: int | None = None
    same_ids: bool = False
    lane_seconds: float = 0.0
    watch: bool = True
    mortal: bool = False
    seed: int = 1
    box_kind: Callable[[Playbook, Traits, int], Box] = Box
    ordered: float = 0.0

    def __post_init__(self) -> None:
        self.play = Playbook(self.policy, lane_seconds=self.lane_seconds, watch=self.watch)
        self.play.mortal = self.mortal
        self.central = Central(
            self.play, remote_start=self.remote_start, transaction=self.transaction, same_ids=self.same_ids
        )
        self.box = self.box_kind(self.play, self.traits, self.seed)

    def charge(self, until: float = ORDERED, first: float = FIRST_READING, connector: int = 1) -> World:
        """Connect, order 16 A, plug in, and let it charge. Readings come at ``first``, then every interval."""
        self.play.connect()
        self.box.begin(first)
        self.play.at(1.0, lambda: self.order(16.0, connector))
        for number in self.traits.connectors:
            self.play.at(2.0, lambda number=number: self.box.plug_in(number))  # type: ignore[misc]
        self.play.run(until)
        return self

    def order(self, limit: float, connector: int = 1, unit: str = "A") -> None:
        """The central system orders."""
        if limit == 0:
            self.ordered = self.play.t
        self.central.order(limit, connector, unit)

    def stop(self, connector: int = 1, unit: str = "A") -> World:
        """0 A, now."""
        self.order(0, connector, unit)
        return self

    def run(self, seconds: float) -> World:
        """Let time pass until so many seconds after the stop order."""
        self.play.run(self.ordered + seconds)
        return self

    def later(self, seconds: float, do: Callable[[], None]) -> World:
        """Something that happens so many seconds after the stop order."""
        self.play.at(self.ordered + seconds, do)
        return self

    # -- what came of it -------------------------------------------------------------------------------------------

    def sent(self, connector: int | None = None) -> list[float]:
        """When RemoteStops were written, seconds after the stop order."""
        return [written.at - self.play.begin - self.ordered for written in self.play.trace.stops(connector)]

    def asked(self) -> list[float]:
        """When questions were written, seconds after the stop order."""
        return [written.at - self.play.begin - self.ordered for written in self.play.trace.asked_for_readings()]

    def said(self, *kinds: NoticeKind) -> list[str]:
        """Alarm and closing messages, or those kinds."""
        wanted = kinds or (NoticeKind.ALARM, *CLOSING)
        return [told.kind.value for told in self.play.trace.notices(*wanted)]

    def when(self, kind: NoticeKind) -> list[float]:
        """When this was said, seconds after the stop order."""
        return [told.at - self.play.begin - self.ordered for told in self.play.trace.notices(kind)]

    def phase(self, connector: int = 1) -> Phase:
        """The phase now."""
        return self.play.connector(connector).phase

    def findings(self, connector: int = 1) -> set[str]:
        """The findings now."""
        return {finding.kind.value for finding in self.play.connector(connector).findings}

    def wrong(self) -> list[str]:
        """What the oracle has to say, and whether the same history gives the same decisions."""
        again = live_again(self.play.trace, self.policy)
        return (
            complaints(self.play.trace, self.box.plugs)
            + verdict(self.play.trace, self.box)
            + ([again] if again else [])
        )
