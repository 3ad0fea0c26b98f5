"""A charge point whose truth is known: a peer for the playbook.

The charge point draws a known current at every instant; what its meter says of it may be late, coarse, skewed, frozen,
a tenth or nothing. It speaks text only and knows nothing of the program under test.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import examples
from scenarios.playbook import Playbook

VOLTS = 230.0


@dataclass(frozen=True, slots=True)
class Traits:
    """How a charge point behaves. Seconds, amperes; None where it does not do the thing at all.

    jitter: each reading comes up to this much early or late. stamp: seconds, millis, none, garbage, zero. skew: its
    clock minus the true one. power: factor between reported and true power. register_step: the register counts in these
    steps (Wh), and register_share of what flowed. answer: word for SetChargingProfile (error: CALLERROR, None: never
    answered). obeys_after: seconds from its answer (or, unanswered, from the request) until the current is gone, None:
    it ignores 0 A. meter, once 0 A was ordered: true, frozen (repeats the last reading), zeros. stop_*: likewise for
    RemoteStopTransaction. trigger: word for TriggerMessage. reported: transaction id in MeterValues (own: the answered
    one). meter_connector: readings come under this number. repeat_obeys, tx_obeys, inoperative_stops,
    reset_stops: what the steps of the ladder lead to; a reset takes it off the line for 20 s. schedule_limit: what its
    own schedule says.
    """

    connectors: tuple[int, ...] = (1,)
    interval: float = 10.0
    jitter: float = 0.0
    draw: float = 6.5
    noise: float = 0.05
    decimals: int = 2
    phases: int = 3
    stamp: str = "seconds"
    skew: float = 0.0
    currents: bool = True
    power: float | None = 1.0
    power_decimals: int = 0
    register_step: float | None = None
    register_share: float = 1.0
    answer: str | None = "Accepted"
    answer_seconds: float = 0.1
    obeys_after: float | None = 2.0
    meter: str = "true"
    silent_when_stopped: bool = False
    honest_status: bool = True
    stop_answer: str | None = "Accepted"
    stop_answer_seconds: float = 0.1
    stops_after: float | None = 1.0
    ends_transaction: bool = True
    goes_on_after_end: bool = False
    drops_at_stop: bool = False
    trigger: str | None = "Accepted"
    reported: str | int | None = "own"
    meter_connector: int | None = None
    repeat_obeys: bool = False
    tx_answer: str | None = "Accepted"
    tx_obeys: bool = False
    clear_answer: str | None = "Accepted"
    inoperative_answer: str | None = "Scheduled"
    inoperative_stops: bool = False
    reset_answer: str | None = "Accepted"
    reset_stops: bool = False
    schedule_answer: str | None = "Accepted"
    schedule_limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """A reading as it was, and when it passed. flows: true current at the moment of measuring. shown: highest current
    in the frame, None when it shows none. honest: the figures are those of that moment."""

    connector: int
    measured: float
    arrived: float
    flows: float
    shown: float | None
    honest: bool


@dataclass(slots=True)
class Plug:
    """The true state of one connector."""

    limit: float | None = None
    current: float = 0.0
    energy: float = 12345.0
    since: float = 0.0
    status: str = "Available"
    transaction: int | None = None
    unanswered_start: bool = False
    stopping: int = 0
    ordered_zero: bool = False
    overruled: bool = False
    frozen: tuple[list[dict[str, str]], float | None] | None = None
    truth: list[tuple[float, float]] = field(default_factory=list)


def register_text(energy: float, step: float) -> str:
    """What a register that counts in these steps shows: cut, and with no more digits than a step has."""
    value = int(energy / step) * step
    return f"{value:.0f}" if step >= 1 else f"{value:.3f}"


class Box:
    """The charge point. Give ``receive`` to the playbook; readings begin with ``begin``.

    named: when which connectors were meant by a RemoteStopTransaction. set_back: seconds by which its clock was set
    back since.
    """

    def __init__(self, play: Playbook, traits: Traits, seed: int = 1) -> None:
        self.play = play
        self.traits = traits
        self.plugs = {number: Plug() for number in traits.connectors}
        self.delivered: list[Delivered] = []
        self.delay: Callable[[], float | None] = lambda: 0.0
        self.copies: Callable[[], int] = lambda: 1
        self.queue: list[tuple[str, Delivered]] = []
        self.reading = True
        self.heard: list[tuple[float, str]] = []
        self.stubborn: set[int] = set()
        self.named: list[tuple[float, list[int]]] = []
        self.set_back = 0.0
        self._chance = random.Random(seed)
        self._ids = count(100)
        self._starts: dict[str, int] = {}
        play.to_box = self.receive

    # -- life ------------------------------------------------------------------------------------------------------

    def begin(self, first: float = 0.0) -> None:
        """Boot, show the plugs, and read the meter every interval from ``first`` seconds on."""
        self.say(examples.boot(self.new_id()))
        for number in self.plugs:
            self.show(number, "Available")
            self.play.after(first, lambda number=number: self._periodic(number))  # type: ignore[misc]

    def new_id(self) -> str:
        """A unique id of the charge point."""
        return str(next(self._ids))

    def say(self, text: str) -> None:
        """Send a frame, if there is a connection."""
        self.play.from_box(text)

    def clock(self, utc: float | None = None) -> float:
        """Its own clock."""
        return (self.play.clock.utc if utc is None else utc) + self.traits.skew - self.set_back

    def show(self, number: int, status: str) -> None:
        """Take and send a status."""
        self.plugs[number].status = status
        self.say(examples.status(self.new_id(), status, self.clock(), number))

    def plug_in(self, number: int = 1) -> None:
        """A car comes, the transaction starts, it charges."""
        self.show(number, "Preparing")
        self.start(number)

    def start(self, number: int = 1) -> None:
        """StartTransaction, and current flows, if the charge point thinks it may."""
        plug = self.plugs[number]
        uid = self.new_id()
        self._starts[uid] = number
        plug.unanswered_start = True
        self.say(examples.start_transaction(uid, self.clock(), int(plug.energy), number))
        self.show(number, "Charging")
        held_back = plug.limit == 0 and self.traits.obeys_after is not None
        self.flow(number, 0.0 if held_back else self._wanted(plug))

    def unplug(self, number: int = 1) -> None:
        """The car leaves."""
        self._end(number, "EVDisconnected")
        self.show(number, "Available")

    def flow(self, number: int, amperes: float) -> None:
        """The true current from now on."""
        plug = self.plugs[number]
        self._integrate(plug)
        plug.current = amperes
        plug.truth.append((self.play.clock.mono, amperes))

    def _wanted(self, plug: Plug) -> float:
        limit = plug.limit
        return self.traits.draw if not limit else min(self.traits.draw, limit)

    def _integrate(self, plug: Plug) -> None:
        now = self.play.clock.mono
        share = self.traits.phases * VOLTS * self.traits.register_share / 3600.0
        plug.energy += plug.current * share * (now - plug.since) if plug.since else 0.0
        plug.since = now

    # -- what it hears ---------------------------------------------------------------------------------------------

    def receive(self, text: str) -> None:
        """A frame from the central system, or one of the program's own."""
        if text.startswith("[3") and not self._starts:
            return
        message = json.loads(text)
        if message[0] == 3 and message[1] in self._starts:
            plug = self.plugs[self._starts.pop(message[1])]
            plug.unanswered_start = False
            plug.transaction = message[2].get("transactionId")
        if message[0] != 2 or len(message) < 4:
            return
        self.heard.append((self.play.clock.mono, message[2]))
        uid, action, payload = message[1], message[2], message[3]
        if action == "SetChargingProfile" and '"limit"' in text:
            self._limit(uid, payload)
        elif action == "RemoteStopTransaction":
            self._remote_stop(uid, payload["transactionId"])
        elif uid.startswith("wd-") and action in ("ChangeAvailability", "Reset", "GetCompositeSchedule"):
            self._step(uid, action, payload)
        elif uid.startswith("wd-") and action == "ClearChargingProfile":
            self._cleared(uid)
        elif action == "TriggerMessage":
            self._trigger(uid, payload)
        elif action == "RemoteStartTransaction":
            self._answer(uid, "Accepted", 0.05)
            self.play.after(0.3, lambda: self.start(payload.get("connectorId", 1)))
        else:
            self._answer(uid, "Accepted", 0.05)

    def _answer(self, uid: str, word: str | None, seconds: float) -> None:
        if word is not None:
            text = examples.error(uid) if word == "error" else examples.status_result(uid, word)
            self.play.after(seconds, lambda: self.say(text))

    # -- the steps of the ladder -------------------------------------------------------------------------------

    def _own_profile(self, uid: str, payload: dict[str, object]) -> None:
        """SetChargingProfile that is not the central system's."""
        traits = self.traits
        profile = payload["csChargingProfiles"]
        is_tx = profile["chargingProfilePurpose"] == "TxProfile"  # type: ignore[index]
        limit = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]  # type: ignore[index]
        answer = traits.tx_answer if is_tx else "Accepted"
        self._answer(uid, answer, 0.1)
        number = int(str(payload["connectorId"])) or min(self.plugs)
        if answer != "Accepted" or not (traits.tx_obeys if is_tx else traits.repeat_obeys):
            return
        plug = self.plugs[number]
        plug.overruled = is_tx
        self.play.after(2.0, lambda: self.flow(number, min(plug.current, limit)))

    def _cleared(self, uid: str) -> None:
        self._answer(uid, self.traits.clear_answer, 0.1)
        for number, plug in self.plugs.items():
            if plug.overruled and self.traits.clear_answer in ("Accepted", "Unknown"):
                plug.overruled = False
                self.play.after(0.5, lambda n=number: self._resume(n, self.plugs[n].stopping))  # type: ignore[misc]

    def _step(self, uid: str, action: str, payload: dict[str, object]) -> None:
        traits = self.traits
        if action == "GetCompositeSchedule":
            period = [{"startPeriod": 0, "limit": traits.schedule_limit}]
            said = {"status": traits.schedule_answer, "chargingSchedule": {"chargingSchedulePeriod": period}}
            if traits.schedule_answer is not None:
                self.play.after(0.1, lambda: self.say(examples.result(uid, said)))
            return
        is_reset = action == "Reset"
        answer = traits.reset_answer if is_reset else traits.inoperative_answer
        if not is_reset and payload["type"] == "Operative":
            self._answer(uid, "Accepted", 0.1)
            return
        self._answer(uid, answer, 0.1)
        if answer not in ("Accepted", "Scheduled"):
            return
        number = int(str(payload.get("connectorId", min(self.plugs))))
        if is_reset:
            self.play.after(1.0, self._reboot)
        elif traits.inoperative_stops and number in self.plugs:
            self.play.after(1.0, lambda: self._end(number, "Other"))

    def _reboot(self) -> None:
        """Soft reset: transactions end where it is honest, then it is away for 20 s."""
        if self.traits.reset_stops:
            for number in self.plugs:
                self._end(number, "SoftReset")
        if self.play.connected:
            self.play.drop()
            self.play.after(20.0, self._back)

    def _back(self) -> None:
        if self.play.connected:
            return
        self.play.connect()
        self.say(examples.boot(self.new_id()))
        for number in self.plugs:
            self.show(number, self.plugs[number].status)
        self.flush()

    def relay_opens(self) -> None:
        """The relay outside it cuts the current."""
        for number in self.plugs:
            self.flow(number, 0.0)

    # -- limits --------------------------------------------------------------------------------------------------

    def _limit(self, uid: str, payload: dict[str, object]) -> None:
        if uid.startswith("wd-"):
            self._own_profile(uid, payload)
            return
        schedule = payload["csChargingProfiles"]["chargingSchedule"]  # type: ignore[index]
        limit = schedule["chargingSchedulePeriod"][0]["limit"]
        where = payload["connectorId"]
        traits = self.traits
        self._answer(uid, traits.answer, traits.answer_seconds)
        answered = traits.answer_seconds if traits.answer is not None else 0.0
        for number in self.plugs if where == 0 else (where,):
            plug = self.plugs[number]  # type: ignore[index]
            plug.limit = float(limit)
            plug.stopping += 1
            mark = plug.stopping
            plug.ordered_zero = limit == 0
            if limit != 0:
                plug.frozen = None
            obeys_after = None if number in self.stubborn else traits.obeys_after
            if limit == 0 and obeys_after is not None:
                wait = answered + obeys_after
                self.play.after(wait, lambda n=number, m=mark: self._obey(n, m))  # type: ignore[misc]
            elif limit != 0:
                self.play.after(answered + 1.0, lambda n=number, m=mark: self._resume(n, m))  # type: ignore[misc]

    def _obey(self, number: int, mark: int) -> None:
        plug = self.plugs[number]
        if plug.stopping == mark and plug.limit == 0:
            if plug.current and self.traits.honest_status:
                self.show(number, "SuspendedEVSE")
            self.flow(number, 0.0)

    def _resume(self, number: int, mark: int) -> None:
        plug = self.plugs[number]
        if plug.stopping == mark and (plug.transaction is not None or plug.unanswered_start):
            if plug.status != "Charging":
                self.show(number, "Charging")
            self.flow(number, self._wanted(plug))

    def _remote_stop(self, uid: str, transaction: int) -> None:
        traits = self.traits
        if traits.drops_at_stop:
            self.play.after(0.05, self.play.drop)
            return
        known = [number for number, plug in self.plugs.items() if plug.transaction == transaction]
        self.named.append((self.play.clock.mono, known))
        self._answer(uid, traits.stop_answer if known else "Rejected", traits.stop_answer_seconds)
        if known and traits.stop_answer == "Accepted" and traits.stops_after is not None:
            wait = traits.stop_answer_seconds + traits.stops_after
            self.play.after(wait, lambda: self._end(known[0], "Remote"))

    def _end(self, number: int, reason: str) -> None:
        plug = self.plugs[number]
        if plug.transaction is not None and self.traits.ends_transaction:
            self.say(examples.stop_transaction(self.new_id(), self.clock(), plug.transaction, reason))
            plug.transaction = None
            self.show(number, "Finishing")
        if not self.traits.goes_on_after_end:
            self.flow(number, 0.0)

    def _trigger(self, uid: str, payload: dict[str, object]) -> None:
        self._answer(uid, self.traits.trigger, 0.05)
        if self.traits.trigger == "Accepted" and payload.get("requestedMessage") == "MeterValues":
            number = payload.get("connectorId") or min(self.plugs)
            self.play.after(0.1, lambda: self.read(int(str(number))))

    # -- its meter -------------------------------------------------------------------------------------------------

    def _periodic(self, number: int) -> None:
        traits = self.traits
        plug = self.plugs[number]
        if self.reading and not (traits.silent_when_stopped and plug.current == 0 and plug.ordered_zero):
            self.read(number)
        wait = traits.interval + self._chance.uniform(-traits.jitter, traits.jitter)
        self.play.after(wait, lambda: self._periodic(number))

    def read(self, number: int = 1) -> None:
        """Measure now; the frame goes out now, later, twice or never, as the scenario has it."""
        plug = self.plugs[number]
        self._integrate(plug)
        values, shown, honest = self._figures(plug)
        stamp = self._stamp()
        reported = plug.transaction if self.traits.reported == "own" else self.traits.reported
        now = self.play.clock.mono
        note = Delivered(number, now, now, plug.current, shown, honest)
        wait = self.delay()
        if wait is None:
            return
        for _ in range(self.copies()):
            transaction = reported if isinstance(reported, int) else None
            where = number if self.traits.meter_connector is None else self.traits.meter_connector
            text = examples.meter_values(self.new_id(), values, stamp, connector=where, transaction=transaction)
            self.play.after(wait, lambda text=text: self._send(text, note))  # type: ignore[misc]

    def _send(self, text: str, note: Delivered) -> None:
        if not self.play.connected:
            self.queue.append((text, note))
            return
        self.delivered.append(replace(note, arrived=self.play.clock.mono))
        self.say(text)

    def flush(self) -> None:
        """Send what was queued while the link was down, oldest first."""
        waiting, self.queue = self.queue, []
        for text, note in waiting:
            self._send(text, note)

    def _figures(self, plug: Plug) -> tuple[list[dict[str, str]], float | None, bool]:
        traits = self.traits
        lying = plug.ordered_zero and traits.meter != "true"
        if lying and traits.meter == "frozen" and plug.frozen is not None:
            return (*plug.frozen, False)
        amperes = 0.0 if lying and traits.meter == "zeros" else plug.current
        shown = [
            amperes and max(0.0, amperes + self._chance.uniform(-1, 1) * traits.noise) for _ in range(traits.phases)
        ]
        values: list[dict[str, str]] = []
        if traits.currents:
            values += examples.current_values([f"{value:.{traits.decimals}f}" for value in shown])
        if traits.power is not None:
            watts = sum(shown) * VOLTS * traits.power
            values += examples.power_values(f"{watts:.{traits.power_decimals}f}")
        if traits.register_step is not None:
            values += examples.register_value(register_text(plug.energy, traits.register_step))
        highest = max(shown) if traits.currents else None
        if traits.meter == "frozen" and (not plug.ordered_zero or plug.frozen is None):
            plug.frozen = values, highest
        return values, highest, not (lying and plug.current > 0) and not (lying and traits.meter == "frozen")

    def _noisy(self, amperes: float) -> float:
        return max(0.0, amperes + self._chance.uniform(-1, 1) * self.traits.noise) if amperes else 0.0

    def _stamp(self) -> str | None:
        utc = self.clock()
        match self.traits.stamp:
            case "none":
                return None
            case "garbage":
                return "yesterday"
            case "zero":
                return "0000-00-00T00:00:00Z"
            case "millis":
                return examples.iso(utc, 3)
            case _:
                return examples.iso(utc)

    def flowed(self, number: int, begin: float, end: float) -> bool:
        """Did more than 1 A on a phase, or more than 200 W, flow at any time in this span, as the meter shows it whose
        figures are off by its noise?"""
        enough = min(1.0, 200.0 / (VOLTS * self.traits.phases)) - self.traits.noise
        current = 0.0
        for at, amperes in self.plugs[number].truth:
            if at > end:
                break
            if at > begin and current > enough:
                return True
            current = amperes
        return current > enough
