"""A lane whose messages may be repaired before they go on: whole messages in, and the same bytes out for all but those.

Theory of operation. What arrives is gathered until a message is whole; control frames do not wait for it. ``mend`` is
asked once: its bytes go on into the ordinary lane (``lane.py``) as they came, or a frame of ours goes in their place,
with the mask key of the first; or nothing does, and an answer waits for the session to send it back. What
cannot be gathered (too large, reserved bits, a violated structure) goes on as it comes. Only sessions with a repair
that is switched on have such a lane.
"""

from __future__ import annotations

from collections.abc import Callable

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.lane import Lane, Signal, What
from ocpp_watchdog.core.repairs import Answered, Verdict
from ocpp_watchdog.core.terms import Direction

MOST_FRAMES = 4_096
MOST_REMEMBERED = 128

Mend = Callable[[Direction, str], Verdict]
"""What becomes of a message; it must not raise."""


class Repaired(bytes):
    """The raw frame that went out, with what it was made from.

    original: the raw frames that came. repairs: names of the repairs, for a person. heard: the raw frame that the judge
    hears of a reading.
    """

    original: bytes
    repairs: str
    heard: bytes

    def __new__(cls, frame: bytes, original: bytes, repairs: str, heard: bytes = b"") -> Repaired:
        made = super().__new__(cls, frame)
        made.heard = heard or frame
        made.original = original
        made.repairs = repairs
        return made


class Bench:
    """Gathers the frames of one direction into messages, and puts what is repaired in their place.

    most: payload bytes of a message that is gathered. made: what was put in the place of messages, the newest last.
    answers: raw frames of a message that was answered, with its answer, in order.
    """

    def __init__(self, direction: Direction, mend: Mend, most: int) -> None:
        self.made: list[Repaired] = []
        self.answers: list[tuple[bytes, Answered]] = []
        self._direction = direction
        self._mend = mend
        self._most = most
        self._incoming = bytearray()
        self._gathered = bytearray()  # whole frames of the message that is not whole yet
        self._frames = 0
        self._payload_size = 0
        self._opcode: int | None = None  # of the message that is being received; None: between messages
        self._odd = False
        self._flowing = False  # the message is passed on as it comes
        self._owed = 0  # bytes of a frame that is passed on in pieces
        self._passing = False

    def work(self, data: bytes) -> bytes:
        """Take the next bytes; give what can go on now."""
        self._incoming += data
        out = bytearray()
        while self._incoming:
            if self._passing:
                out += self._take(len(self._incoming))
            elif self._owed:
                out += self._pay()
            elif (step := self._next_frame()) is None:
                break
            else:
                out += step
        return bytes(out)

    def give_up(self) -> bytes:
        """The end of the stream: what is not whole goes out as it came."""
        self._passing = True
        out = bytes(self._gathered)
        self._begin_anew()
        return out + self._take(len(self._incoming))

    def _next_frame(self) -> bytes | None:
        """What goes on because of the next frame; None: it is not whole yet."""
        head, length = wire.measure(self._incoming, 0)
        if not head:
            return None
        first, end = self._incoming[0], head + length
        opcode = first & wire.OPCODE
        if opcode >= wire.CLOSE:
            return self._control(opcode, end)
        if opcode > wire.BINARY or (opcode == wire.CONTINUATION) == (self._opcode is None):
            self._passing = True  # the structure is violated: the other end judges it
            return self._let_gathered_go()
        is_final = bool(first & wire.FIN)
        if self._flowing or self._is_too_much(length):
            out = self._let_gathered_go()
            self._flowing, self._owed = True, end
            self._opcode = self._opcode or opcode
            if is_final:
                self._begin_anew()
            return out + self._pay()
        if len(self._incoming) < end:
            return None
        self._opcode = self._opcode or opcode
        self._gathered += self._take(end)
        self._odd |= bool(first & wire.RSV)
        self._payload_size += length
        self._frames += 1
        return self._whole() if is_final else b""

    def _control(self, opcode: int, end: int) -> bytes | None:
        """A control frame does not wait; a Close lets go what does."""
        if len(self._incoming) < end:
            return None
        before = self._let_gathered_go() if opcode == wire.CLOSE else b""
        return before + self._take(end)

    def _is_too_much(self, more: int) -> bool:
        return self._payload_size + more > self._most or self._frames >= MOST_FRAMES

    def _take(self, count: int) -> bytes:
        taken = bytes(self._incoming[:count])
        del self._incoming[:count]
        return taken

    def _pay(self) -> bytes:
        """Pieces of a frame that is passed on as it comes."""
        paid = self._take(min(self._owed, len(self._incoming)))
        self._owed -= len(paid)
        return paid

    def _let_gathered_go(self) -> bytes:
        out = bytes(self._gathered)
        self._gathered.clear()
        if out:
            self._flowing = True
        return out

    def _begin_anew(self) -> None:
        self._gathered.clear()
        self._opcode, self._flowing, self._odd = None, False, False
        self._frames = self._payload_size = 0

    # -- one whole message ---------------------------------------------------------------------------------------

    def _whole(self) -> bytes:
        frames, opcode, odd = bytes(self._gathered), self._opcode, self._odd
        self._begin_anew()
        if odd or opcode is None:
            return frames
        try:
            text = wire.payload_of(frames).decode()
        except UnicodeDecodeError:
            return frames
        verdict = self._mend(self._direction, text)
        if verdict is None:
            return frames
        if isinstance(verdict, Answered):
            self.answers.append((frames, verdict))
            return b""
        key = _key_of(frames)
        heard = wire.frame(opcode, verdict.heard.encode(), key) if verdict.heard else b""
        made = Repaired(wire.frame(opcode, verdict.text.encode(), key), frames, verdict.repairs, heard)
        self.made = [*self.made[-MOST_REMEMBERED + 1 :], made]
        return made


class MendingLane(Lane):
    """One direction of a session with repairs."""

    __slots__ = ("_bench", "_is_walking")

    def __init__(self, max_message: int, judge_max: int, *, copies: bool, direction: Direction, mend: Mend) -> None:
        super().__init__(max_message, judge_max, copies=copies)
        self._bench = Bench(direction, mend, min(max_message, judge_max))
        self._is_walking = False

    def take_answers(self) -> list[tuple[bytes, Answered]]:
        """What waits to be sent back: raw frames of each message, and its answer."""
        answers, self._bench.answers = self._bench.answers, []
        return answers

    def passes(self, data: bytes) -> bool:
        """Nothing does before it was looked at."""
        return False

    def feed(self, data: bytes) -> bytes:
        """As every lane; what is not whole yet waits."""
        ready = self._bench.work(data) if data else b""
        if self._bench.answers:
            self.signals.append((Signal.ANSWER, b""))
        if data and not ready:
            return b""
        self._is_walking = True
        out = super().feed(ready)
        self._is_walking = False
        return out

    def let_go(self) -> bytes:
        """As every lane; called while it walks for a Close or a violated structure, else at the end of the stream."""
        if self._is_walking:
            return super().let_go()
        unfinished = self._bench.give_up()
        return (super().feed(unfinished) if unfinished else b"") + super().let_go()

    def _tell(self, frames: bytes, text: bool, size: int) -> None:
        """A message that was repaired is told with what it was made from."""
        if not self._copies:
            return
        found = next((made for made in self._bench.made if made == frames), None)
        if found is not None:
            self._bench.made = [made for made in self._bench.made if made is not found]
        if size > self._judge_max:
            self.heard.append((What.UNJUDGED, b"", text, size))
        elif found is None:
            self.heard.append((What.MESSAGE, frames, text, size))
        else:
            self.heard.append((What.REPAIRED, found, text, size))


def _key_of(frames: bytes) -> bytes | None:
    """The mask key of the first frame; None: it is not masked."""
    head, _ = wire.measure(frames, 0)
    return frames[head - 4 : head] if frames[1] & wire.MASKED else None
