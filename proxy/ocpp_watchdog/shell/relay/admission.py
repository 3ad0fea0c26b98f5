"""Who may come in: ids and passwords, limits per address, and two that fight for one id (DESIGN R11, 10).

Time is an argument (seconds of one clock that never jumps); every table is bounded.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import Counter, OrderedDict
from collections.abc import Hashable
from enum import Enum, auto

from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.relay.settings import RelaySettings

TABLE_SIZE = 4096
GUESS_BURST = 10
GUESS_REFILL_SECONDS = 5.0
ALARM_BURST = 3
ALARM_REFILL_SECONDS = 30.0


class Buckets:
    """One token bucket per key; the keys used longest ago are forgotten."""

    def __init__(self) -> None:
        self._full: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # key: (tokens, at)

    def take(self, key: Hashable, now: float, burst: float, per_second: float) -> bool:
        """Take one token; False when there is none."""
        tokens, at = self._full.pop(key, (burst, now))
        tokens = min(burst, tokens + (now - at) * per_second)
        allowed = tokens >= 1
        self._full[key] = (tokens - 1 if allowed else tokens, now)
        while len(self._full) > TABLE_SIZE:
            self._full.popitem(last=False)
        return allowed


class Verdict(Enum):
    """What becomes of an id and its credentials."""

    ADMITTED = auto()
    UNKNOWN = auto()
    NO_PASSWORD = auto()
    WRONG_PASSWORD = auto()
    TOO_MANY_GUESSES = auto()


class Admission:
    """Rules and counts at the door. The settings may be replaced at any time."""

    def __init__(self, settings: RelaySettings) -> None:
        self.settings = settings
        self._open: Counter[str] = Counter()
        self._handshakes = Buckets()
        self._guesses = Buckets()
        self._fights = Buckets()
        self._alarms = Buckets()

    def arrived(self, address: str) -> bool:
        """Count a connection; False when the address has too many. ``left`` in either case."""
        self._open[address] += 1
        limit = self.settings.connections_per_address
        return limit is None or self._open[address] <= limit

    def left(self, address: str) -> None:
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def may_shake_hands(self, address: str, now: float) -> bool:
        """Whether this address may make another handshake now."""
        rate = self.settings.handshakes_per_second
        return rate is None or self._handshakes.take(address, now, self.settings.handshake_burst, rate)

    def may_contest(self, charge_point: ChargePointId, address: str, now: float) -> bool:
        """Whether an id with a live session may be contested once more from here; two that fight are held back."""
        key = charge_point, address
        return self._fights.take(key, now, self.settings.fight_burst, 1 / self.settings.fight_refill)

    def may_alarm(self, charge_point: ChargePointId, now: float) -> bool:
        """Whether one more alarm about this id says anything new."""
        return self._alarms.take(charge_point, now, ALARM_BURST, 1 / ALARM_REFILL_SECONDS)

    def may_log(self, why: str, address: str, now: float) -> bool:
        """Whether one more line about handshakes refused for this reason says anything new."""
        return self._alarms.take((why, address), now, ALARM_BURST, 1 / ALARM_REFILL_SECONDS)

    def check(self, charge_point: ChargePointId, authorization: bytes | None, address: str, now: float) -> Verdict:
        """Check an id and its password. Without a list everybody is admitted; None as a password: the id is enough."""
        admitted = self.settings.admitted
        if admitted is None:
            return Verdict.ADMITTED
        if charge_point not in admitted:
            return Verdict.UNKNOWN
        password = admitted[charge_point]
        if password is None:
            return Verdict.ADMITTED
        if authorization is None:
            return Verdict.NO_PASSWORD
        if _is_password(password, _offered(charge_point, authorization)):
            return Verdict.ADMITTED
        guessed = self._guesses.take(address, now, GUESS_BURST, 1 / GUESS_REFILL_SECONDS)
        return Verdict.WRONG_PASSWORD if guessed else Verdict.TOO_MANY_GUESSES


def _offered(charge_point: ChargePointId, authorization: bytes) -> bytes:
    """The password in a Basic Authorization header, as bytes; empty when there is none to be read.

    The user is usually the id, which may hold a colon itself; some charge points send another user.
    """
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        pair = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
    own = charge_point.encode() + b":"
    return pair[len(own) :] if pair.startswith(own) else pair.partition(b":")[2]


def _is_password(password: str, offered: bytes) -> bool:
    """Compare in constant time; a key of hex digits may also be sent as the bytes it stands for."""
    forms = [password.encode()]
    try:
        forms.append(bytes.fromhex(password))
    except ValueError:
        forms.append(forms[0])
    matches = [hmac.compare_digest(form, offered) for form in forms]
    return bool(offered) and any(matches)
