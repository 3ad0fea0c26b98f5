"""One charge point through a log: the station of the running program, fed with the log's frames at the log's time.

It observes: nothing is sent. Where the log has a hole, or holds an order that cannot be read, the judge begins anew,
because what was ordered from there on is not known; a log must never convict for what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ocpp_watchdog.analysis.commands import Commands, Passing, action_of
from ocpp_watchdog.analysis.labels import asked
from ocpp_watchdog.analysis.steps import with_real_steps
from ocpp_watchdog.analysis.tracks import Track
from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Count,
    CountKind,
    Decision,
    FactKind,
    Mode,
    Notify,
    Record,
    StationView,
    WakeAt,
    Warn,
)
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.payloads import COMPOSITE_SCHEDULE
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.skim import common
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ChargePointId, ConnectorId, Direction, Moment
from ocpp_watchdog.readers.log import LoggedFrame
from ocpp_watchdog.report import model
from ocpp_watchdog.report.model import Caveat, Command

MOST_TICKS = 100_000
LONGEST_SKIMMED = 125
"""Characters; an answer with more to say is read."""

TIMELINE = frozenset((
    "SetChargingProfile", "ClearChargingProfile", "RemoteStartTransaction", "RemoteStopTransaction", "Reset",
    "ChangeAvailability", "UnlockConnector", "UpdateFirmware",
))  # fmt: skip
ORDERS = ("SetChargingProfile", "ClearChargingProfile", "RemoteStartTransaction")


class Examiner:
    """What is made of one charge point's frames. loads: the JSON decoder. recognise: what is known of its device."""

    def __init__(
        self, charge_point: str, loads: Loads, policy: Policy | None = None, recognise: Recognise = nobody
    ) -> None:
        self.charge_point = charge_point
        self.frames = 0
        self.begin: Moment | None = None
        self.last = Moment(0.0, 0.0)
        self._loads = loads
        self._recognise = recognise
        self._policy = policy or Policy(mode=Mode.OBSERVE, may_question=False)
        self._tracks: dict[ConnectorId, Track] = {}
        self._commands = Commands(loads)
        self._counts: Counter[CountKind] = Counter()
        self._caveats: Counter[Caveat] = Counter()
        self._transactions: set[float] = set()
        self._boot = ("", "", "")
        self._skew: float | None = None
        self._zero_keys = False
        self._session = ""
        self._passing: Command | None = None
        self._warnings: list[Warn] = []
        self._new_station()

    # -- what comes in -----------------------------------------------------------------------------------------------

    def feed(self, frame: LoggedFrame) -> None:
        """The next frame of this charge point."""
        now = frame.at
        if self.begin is None:
            self.begin, self.last = now, now
            self._connect(now)
        self._pass_until(now)
        if frame.session and frame.session != self._session:
            if self._session:
                self._perform(self._station.disconnected(now), now)
                self._perform(self._station.connected(now), now)
            self._session = frame.session
        self.frames += 1
        self.last = now
        if (frame.ours or frame.withheld or frame.original) and (heard := frame.heard) != frame.text:
            if heard is None:
                return
            frame = replace(frame, text=heard)
        if frame.direction is Direction.TO_CHARGE_POINT:
            self._to_charge_point(frame, now)
        else:
            self._to_central_system(frame, now)

    def lost_sight(self, now: Moment) -> None:
        """The log has a hole that ends now, or another log begins: what was ordered meanwhile is not known."""
        if self.begin is not None:
            self._caveats[Caveat.HOLES] += 1
            self._begin_anew(self.last, now)

    def believed(self, watts: float, now: Moment) -> None:
        """evcc's own log says what it takes for the charge power."""
        for track in self._tracks.values():
            track.believed(watts, now)

    def finish(self, end: Moment) -> None:
        """The log ends here: time passes until then, and every standing order is over."""
        if self.begin is None:
            return
        self._pass_until(end)
        self._look(end)
        for track in self._tracks.values():
            track.close(end, is_end=True)
        self.last = end

    # -- frames ------------------------------------------------------------------------------------------------------

    def _to_charge_point(self, frame: LoggedFrame, now: Moment) -> None:
        if frame.text.startswith("[3") and self._skimmed(frame, now):
            return
        action = action_of(frame.text)
        if frame.is_cut and any(name in frame.text for name in ORDERS):
            self._caveats[Caveat.UNREADABLE_ORDER] += 1
            self._begin_anew(now, now)
            return
        if action not in TIMELINE and not (frame.ours and action == COMPOSITE_SCHEDULE):
            self._perform(self._station.receive(frame.direction, frame.text, now), now)
            if self._warnings:
                self._keep(Passing(Command(now.utc, None, action, "", frame.text, ours=frame.ours), now.mono))
            return
        self._look(now)
        said = asked(frame.text, self._loads, now)
        self._zero_keys = self._zero_keys or said.has_zero_keys
        command = Command(
            now.utc, said.connector, action, said.label, frame.text, ours=frame.ours, details=said.details
        )  # fmt: skip
        passing = Passing(command, now.mono)
        self._passing = command
        self._perform(self._station.receive(frame.direction, frame.text, now), now)
        self._passing = None
        self._follow(passing, now)
        self._keep(passing)

    def _keep(self, passing: Passing) -> None:
        passing.warnings, self._warnings = self._warnings, []
        self._commands.add(passing)

    def _skimmed(self, frame: LoggedFrame, now: Moment) -> bool:
        """An answer of the central system that only closes its CALL is not read, as in the running program."""
        found = common(frame.text.encode("utf-8", "replace")) if len(frame.text) <= LONGEST_SKIMMED else None
        return found is not None and self._station.skim_answer(frame.direction, found[1], now.mono)

    def _to_central_system(self, frame: LoggedFrame, now: Moment) -> None:
        answered = self._commands.answered(frame.text, now.mono)
        if answered is not None:
            for connector, number in answered.orders:
                self._tracks[connector].answered(number, answered.command.answer, answered.command.delay or 0.0)
        station = self._station
        self._perform(station.receive(frame.direction, frame.text, now), now)
        if station.last_action == "MeterValues":
            self._look(now)
        elif station.last_action == "BootNotification":
            seen = station.view(now)
            if seen.vendor or seen.model:
                self._boot = (seen.vendor, seen.model, seen.firmware)

    def _follow(self, passing: Passing, now: Moment) -> None:
        """Whether the command just received changed or repeated an order."""
        command = passing.command
        if command.action not in ORDERS:
            return
        for seen in self._station.connectors(now):
            is_meant = command.connector in (None, WHOLE_CHARGE_POINT, seen.connector)
            track = self._track(seen.connector)
            if not is_meant and track.standing is None:
                continue
            number = self._followed(track, seen, command if is_meant else None, now)
            if number is not None and is_meant:
                if not command.ours:
                    track.repeated()
                passing.ordered(seen.connector, number)
            track.look(seen, now)

    # -- the judge -----------------------------------------------------------------------------------------------------

    def _new_station(self) -> None:
        """A judge that knows nothing but what the device is."""
        policy = self._recognise(*self._boot).tune(self._policy) if any(self._boot) else self._policy
        self._station = Station(
            ChargePointId(self.charge_point), policy, self._loads, lambda: "wd-observes", self._recognise
        )
        self._wake: float | None = None

    def _connect(self, now: Moment) -> None:
        self._perform(self._station.connected(now), now)

    def _begin_anew(self, until: Moment, now: Moment) -> None:
        """Nothing of what was ordered before counts any more. until: so far it was seen how it went."""
        self._look(until)
        for track in self._tracks.values():
            track.new_judge(until)
        self.last = now
        self._commands.forget_open()
        self._new_station()
        self._connect(now)

    def _pass_until(self, now: Moment) -> None:
        """Tick whenever the judge wants to be asked, as its timer would."""
        ticks = 0
        while self._wake is not None and self._wake <= now.mono and ticks < MOST_TICKS:
            ticks += 1
            at = Moment(self.last.utc + max(0.0, self._wake - self.last.mono), max(self._wake, self.last.mono))
            self._wake = None
            self._perform(self._station.tick(at), at)

    def _perform(self, decisions: list[Decision], now: Moment) -> None:
        is_news = False
        for decision in decisions:
            if isinstance(decision, WakeAt):
                self._wake = decision.mono
            elif isinstance(decision, Count):
                self._counts[decision.kind] += 1
            elif isinstance(decision, Record):
                self._recorded(decision)
                is_news = is_news or decision.kind not in (FactKind.SAMPLE, FactKind.ORDER, FactKind.TRANSACTION)
            elif isinstance(decision, Notify):
                is_news = True
            elif isinstance(decision, Warn):
                self._warnings.append(decision)
            if isinstance(decision, (Notify, Record)) and decision.episode is not None:
                self._track(decision.connector).told(decision.episode)
        if is_news:
            self._look(now)

    def _recorded(self, record: Record) -> None:
        if record.kind is FactKind.TRANSACTION and record.subject is not None:
            started = getattr(record.subject, "started", None)
            if isinstance(started, Moment) and len(self._transactions) < 100_000:
                self._transactions.add(started.mono)

    def _look(self, now: Moment) -> None:
        skew = self._station.clock_skew_seconds
        if skew is not None:
            self._skew = skew
        for seen in self._station.connectors(now):
            track = self._tracks.get(seen.connector)
            if track is None:
                if not _is_of_interest(seen):
                    continue
                track = self._track(seen.connector)
            passing = self._passing
            is_meant = passing is not None and passing.connector in (None, WHOLE_CHARGE_POINT, seen.connector)
            if not track.stands(seen.commanded):
                self._followed(track, seen, passing if is_meant else None, now)
            track.look(seen, now)

    def _followed(self, track: Track, seen: ConnectorView, command: Command | None, now: Moment) -> int | None:
        """The order of a connector as it is now, given by this command or, None, by the schedule."""
        if command is None:
            return track.follow(seen.commanded, "", "", now, by_schedule=True)
        return track.follow(seen.commanded, command.label, command.text, now, by_schedule=False)

    def _track(self, connector: ConnectorId) -> Track:
        track = self._tracks.get(connector)
        if track is None:
            track = self._tracks[connector] = Track(connector)
        return track

    # -- what came of it -----------------------------------------------------------------------------------------------

    def view(self) -> StationView:
        """What the judge shows at the end."""
        return self._station.view(self.last)

    def station(self, explain: model.Explain, language: str) -> model.Station:
        """The part of the report about this charge point."""
        connectors = tuple(self._connector(track) for _, track in sorted(self._tracks.items()))
        begin = self.begin or self.last
        return model.Station(
            charge_point=self.charge_point,
            vendor=self._boot[0],
            model=self._boot[1],
            firmware=self._boot[2],
            begin=begin.utc,
            end=self.last.utc,
            frames=self.frames,
            commands=self._commands.told(language),
            commands_left_out=self._commands.left_out,
            connectors=connectors,
            transactions=len(self._transactions),
            clock_skew=self._skew,
            caveats=self._all_caveats(connectors),
            causes=self._causes(connectors),
            facts=explain(*self._boot, language) if any(self._boot) else (),
        )

    def _connector(self, track: Track) -> model.Connector:
        commands = self._commands.ours
        return model.Connector(
            track.connector,
            tuple(with_real_steps(order, commands) for order in track.orders),
            tuple(track.left_out.items()),
            track.strip.chart(self.last.utc),
            track.energy_wh,
            track.readings,
            track.has_register,
        )

    def _all_caveats(self, connectors: tuple[model.Connector, ...]) -> tuple[tuple[Caveat, float], ...]:
        found: list[tuple[Caveat, float]] = list(self._caveats.items())
        undecodable = self._counts[CountKind.UNDECODABLE]
        if undecodable:
            found.append((Caveat.UNDECODABLE, undecodable))
        orders = [order for connector in connectors for order in connector.orders]
        missing = sum(not order.answer and not order.by_schedule for order in orders)
        if not orders:
            found.append((Caveat.NO_ORDERS, 0))
        elif missing:
            found.append((Caveat.ANSWERS_MISSING, missing))
        if not any(connector.readings for connector in connectors):
            found.append((Caveat.NO_READINGS_AT_ALL, 0))
        elif not any(connector.has_register for connector in connectors):
            found.append((Caveat.NO_REGISTER, 0))
        if self._skew is not None and abs(self._skew) > self._policy.skew_seconds:
            found.append((Caveat.CLOCK_SKEW, self._skew))
        left_out = sum(count for connector in connectors for _, count in connector.left_out) + self._commands.left_out
        if left_out:
            found.append((Caveat.LEFT_OUT, left_out))
        return tuple(found)

    def _causes(self, connectors: tuple[model.Connector, ...]) -> tuple[model.Cause, ...]:
        """What to test where orders are accepted and have no effect."""
        orders = [order for connector in connectors for order in connector.orders]
        is_ignored = any(order.outcome is model.Outcome.VIOLATED for order in orders)
        if not is_ignored:
            return ()
        causes = [model.Cause.HIDDEN_PROFILE, model.Cause.DEFAULT_AT_START, model.Cause.CLOCK_BEHIND]
        if self._zero_keys:
            causes.append(model.Cause.MISSING_KEYS)
        return (*causes, model.Cause.LOCAL_LIMITER)


def _is_of_interest(seen: ConnectorView) -> bool:
    return seen.reading is not None or seen.commanded is not None
