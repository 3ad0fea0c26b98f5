"""One direction of a session: bytes in, the same bytes out in whole frames, and a copy of each message for the judge.

Theory of operation. ``feed`` walks whole frames. Between messages the lane rests; a data frame that begins a message
puts it on one of four ways, and every continuation follows it:

    FLOW      goes out as it comes. After a first fragment went out and before the last one, the lane is *open on the
              wire*: nothing of ours but a control frame may go out then (RFC 6455 §5.4).
    UNDECIDED its fragments wait until it is known whose message it is: 96 payload bytes, its end, or 256 frames.
    ANSWER    an answer to a CALL of our own: it goes nowhere, the judge gets it (only on a lane that is armed).
    HELD      a CALL of the central system while one of ours is open: it waits, whole, in order (only while holding).

A lane that is neither armed nor holding looks at no payload at all. Control frames overtake what waits; a Close first
lets go whatever waits. A violated message structure (a continuation without start, a start inside a message, a
reserved opcode) makes the lane *broken*: from then on everything passes, for the other end to judge.

It holds no socket and no timer, and it never alters a byte.
"""

from __future__ import annotations

from enum import Enum, auto

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.prefix import ANSWER_TO_OURS, CALL, PREFIX_BYTES
from ocpp_watchdog.core.wire import MASKED, WHOLE_TEXT, measure

UNDECIDED_FRAMES = 256
CROWD = 64
"""So many frames in one read are many: an honest peer has one CALL open."""

HELD_CALLS = 64
HELD_BYTES = 1 << 20


class What(Enum):
    """What the judge is to hear of."""

    MESSAGE = auto()  # went out whole
    UNJUDGED = auto()  # went out whole: too large for the judge, or with reserved bits
    ANSWER = auto()  # kept back: an answer to a CALL of ours
    REPAIRED = auto()  # went out changed (``mending.py``)


class Signal(Enum):
    """What the session is to know at once."""

    CLOSE = auto()  # a Close frame went out
    PING = auto()  # a ping went out
    PONG = auto()  # a pong went out
    OWN_PONG = auto()  # the answer to a ping of ours was kept back
    ANSWER = auto()  # a repair answered a message: it waits to be sent back (``mending.py``)
    TOO_BIG = auto()  # the limit would be crossed: nothing passes any more


Heard = tuple[What, bytes, bool, int]
"""(what, its raw frames, is it text, payload bytes). A plain tuple: one is made for every message. UNJUDGED carries no
frames."""


_WHOLE = frozenset((WHOLE_TEXT, wire.FIN | wire.BINARY))


class Way(Enum):
    """Which way the message that is being received goes."""

    FLOW = auto()
    UNDECIDED = auto()
    ANSWER = auto()
    HELD = auto()


class Lane:
    """One direction. ``feed`` returns what goes out now; ``heard`` (for the judge) and ``signals`` (with the payload of
    the control frame) gather meanwhile, in wire order, and are emptied by whoever reads them."""

    __slots__ = (
        "_calm", "_copies", "_count", "_held", "_held_bytes", "_judge_max", "_judged", "_max_message", "_need",
        "_overflowed", "_own_pings", "_raw", "_release_due", "_rest", "_size", "_small", "_text", "_way", "armed",
        "broken", "closed", "crowded", "halt", "heard", "held_count", "holding", "is_open", "signals", "stopped",
    )  # fmt: skip

    def __init__(self, max_message: int, judge_max: int, *, copies: bool) -> None:
        """max_message, judge_max: bytes of payload. copies: whether the judge wants messages at all."""
        self._max_message = max_message
        self._judge_max = judge_max
        self._small = min(max_message, judge_max)
        self._copies = copies
        self._rest = bytearray()  # the unfinished frame
        self._need = 0  # so many bytes of it must be there before it is worth looking again
        self._way: Way | None = None  # None: between messages
        self._raw = bytearray()  # frames of the message being received, where somebody may want them
        self._size = 0  # its payload bytes so far
        self._count = 0  # its frames so far
        self._text = False
        self._judged = True  # its copy is whole so far
        self._calm = True
        self._held: list[tuple[bytes, bool, int]] = []
        self._held_bytes = 0
        self._overflowed = False
        self._release_due = False
        self._own_pings: list[bytes] = []
        self.armed = False
        self.holding = False
        self.halt = False  # stop walking at the next message boundary: a frame of ours waits for it
        self.is_open = False
        self.broken = False
        self.closed = False
        self.crowded = False  # many frames in one read; whoever reads this resets it
        self.stopped = False
        self.held_count = 0  # whole CALLs that wait
        self.heard: list[Heard] = []
        self.signals: list[tuple[Signal, bytes]] = []

    @property
    def has_rest(self) -> bool:
        """Whether ``halt`` left whole frames behind: feed nothing to go on."""
        return bool(self._rest) and not self._need

    def passes(self, data: bytes) -> bool:
        """Whether the next bytes are exactly one text in one frame that simply passes and is not too large to be
        judged, as by far the most are. Then nothing is left to do here: they go out, and the judge is told. Else they
        are fed."""
        size = len(data)
        if size < 2 or data[0] != WHOLE_TEXT or self._rest or not self._calm:
            return False
        second = data[1]
        length, head = second & 0x7F, 2 if second < MASKED else 6
        if length > 125:
            if length == 127 or size < 4:
                return False
            length, head = data[2] << 8 | data[3], head + 2
        return head + length == size and length <= self._small

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of this direction and return what goes out now, in whole frames.

        One read that is exactly one frame comes back as the same object. Sizes are checked on what a head announces,
        before the payload is awaited; what is in front of a frame that is too big still goes out.
        """
        if self.stopped:
            return b""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return b""
            data = bytes(self._rest)
            self._rest = bytearray()
        return self._walk(data)

    def _walk(self, data: bytes) -> bytes:
        size, start, at, seen = len(data), 0, 0, 0  # start: first byte that is not in `out` yet
        out: list[bytes] = []
        self._need = 0
        while at < size:
            head, length = measure(data, at)
            if not head:
                self._need = length
                break
            first = data[at]
            if length > self._max_message - (0 if first & wire.OPCODE else self._size):
                self._stop()
                size = at
                break
            end = at + head + length
            if end > size:
                self._need = end - at
                break
            if self._calm and first in _WHOLE:
                self._tell(data[at:end], first == WHOLE_TEXT, length)
            else:
                instead = self._pass(data[at:end], length)
                self._settle()
                if instead is not None:
                    out += data[start:at], instead
                    start = end
            at = end
            seen += 1
            if self.halt and not self.is_open:
                break
        self.crowded = self.crowded or seen > CROWD
        if at < size:
            self._rest += data[at:]
        if not out:
            return data[:at]
        out.append(data[start:at])
        return b"".join(out)

    def _settle(self) -> None:
        """Note whether messages in one frame simply pass: nothing looks at them and no other message is open."""
        self._calm = self._way is None and not (self.armed or self.holding or self.broken or self.stopped)

    def _stop(self) -> None:
        self.stopped = True
        self._settle()
        self._raw = bytearray()
        self._drop_held()
        self.signals.append((Signal.TOO_BIG, b""))

    # -- one frame -----------------------------------------------------------------------------------------------

    def _pass(self, frame: bytes, length: int) -> bytes | None:
        """Decide about one whole frame: None, it goes out as it is; else what goes out in its place."""
        first = frame[0]
        opcode = first & wire.OPCODE
        if opcode >= wire.CLOSE:
            return self._control(frame, opcode) if first & wire.FIN else None
        if self.broken:
            return None
        if opcode > wire.BINARY or (opcode == wire.CONTINUATION) == (self._way is None):
            return self._break(frame)
        if first in _WHOLE:
            return self._whole(frame, length)
        if opcode:
            self._begin(first)
        self._size += length
        self._count += 1
        final = bool(first & wire.FIN)
        if self._way is Way.FLOW:
            return self._flow(frame, final=final)
        self._raw += frame
        if self._way is Way.UNDECIDED:
            self._way = self._decide(wire.payload_of(self._raw, PREFIX_BYTES), final=final)
        out = self._gated(final=final)
        if final:
            self._end()
        return out

    def _control(self, frame: bytes, opcode: int) -> bytes | None:
        if opcode == wire.CLOSE:
            waiting = self.let_go()
            self.closed = True
            self.signals.append((Signal.CLOSE, wire.payload_of(frame)))
            return waiting + frame if waiting else None
        if opcode == wire.PING:
            self.signals.append((Signal.PING, wire.payload_of(frame)))
        elif opcode == wire.PONG:
            payload = wire.payload_of(frame)
            own = payload in self._own_pings
            self.signals.append((Signal.OWN_PONG if own else Signal.PONG, payload))
            return b"" if own else None
        return None

    def _break(self, frame: bytes) -> bytes:
        """The message structure is violated: let go what waits and only pass from now on."""
        waiting = self.let_go()
        self.broken = True
        self.armed = False
        self._end()
        return waiting + frame

    # -- one message ---------------------------------------------------------------------------------------------

    def _whole(self, frame: bytes, length: int) -> bytes | None:
        """A message in one frame, on a lane that looks at messages."""
        text = frame[0] == WHOLE_TEXT
        way = self._decide(wire.payload_of(frame, PREFIX_BYTES), final=True)
        out: bytes | None = b""
        if way is Way.FLOW:
            out = None
        elif way is Way.HELD and self._is_too_much(len(frame)):
            out = self._overflow() + frame
            way = Way.FLOW
        if way is Way.FLOW:
            self._tell(frame, text, length)
        else:
            self._keep_back(way, frame, text, length)
        return out

    def _begin(self, first: int) -> None:
        self._size = self._count = 0
        self._text = first & wire.OPCODE == wire.TEXT
        self._judged = not first & wire.RSV
        gated = (self.armed or self.holding) and self._judged
        self._way = Way.UNDECIDED if gated else Way.FLOW

    def _end(self) -> None:
        self._way = None
        self._size = 0
        self.is_open = False
        self._raw = bytearray()

    def _flow(self, frame: bytes, *, final: bool) -> bytes | None:
        self.is_open = not final
        self._keep(frame)
        if not final:
            return None
        self._tell_current()
        self._end()
        if self._release_due:
            self._release_due = False
            return frame + self._held_out()
        return None

    def _keep(self, frame: bytes) -> None:
        """Add a frame to the judge's copy, unless nobody wants it or it has grown too large (empty fragments too)."""
        if self._copies and self._judged:
            self._raw += frame
            if self._size > self._judge_max or len(self._raw) > 2 * self._judge_max:
                self._judged = False
                self._raw = bytearray()

    def _decide(self, begun: bytes, *, final: bool) -> Way:
        """Whose message begins like this? begun: its first payload bytes, as far as they are there."""
        if self.armed and ANSWER_TO_OURS.begins(begun):
            return Way.ANSWER
        if self.holding and CALL.begins(begun):
            return Way.HELD
        if final or len(begun) >= PREFIX_BYTES or self._count >= UNDECIDED_FRAMES:
            return Way.FLOW
        may_be_ours = self.armed and ANSWER_TO_OURS.may_still_begin(begun)
        may_be_held = self.holding and CALL.may_still_begin(begun)
        return Way.UNDECIDED if may_be_ours or may_be_held else Way.FLOW

    def _gated(self, *, final: bool) -> bytes:
        """What goes out after a frame of a message that was not simply flowing."""
        if self._way is Way.FLOW:
            return self._flow_on(final=final)
        if self._way is Way.HELD and self._is_too_much(len(self._raw)):
            return self._overflow() + self._flow_on(final=final)
        if final:
            self._keep_back(self._way, bytes(self._raw), self._text, self._size)
        return b""

    def _keep_back(self, way: Way | None, frames: bytes, text: bool, size: int) -> None:
        """A whole message that does not go out, or not yet."""
        if way is Way.HELD:
            self._held.append((frames, text, size))
            self._held_bytes += len(frames)
            self.held_count += 1
        else:
            what = What.ANSWER if size <= self._judge_max else What.UNJUDGED
            self.heard.append((what, frames, text, size))

    def _is_too_much(self, more: int) -> bool:
        return self.held_count >= HELD_CALLS or self._held_bytes + more > HELD_BYTES

    def _flow_on(self, *, final: bool) -> bytes:
        """Let go the frames of the current message that waited; the rest of it flows."""
        out = bytes(self._raw)
        self._way = Way.FLOW
        self.is_open = not final
        if final:
            self._tell_current()
        elif not self._copies or self._size > self._judge_max:
            self._judged = False
            self._raw = bytearray()
        return out

    def _overflow(self) -> bytes:
        """Too much is held: all of it flows, and nothing more is held until ``release``."""
        self.holding = False
        self._overflowed = True
        return self._held_out()

    def _tell_current(self) -> None:
        if self._judged:
            self._tell(bytes(self._raw), self._text, self._size)
        elif self._copies:
            self.heard.append((What.UNJUDGED, b"", self._text, self._size))

    def _tell(self, frames: bytes, text: bool, size: int) -> None:
        if self._copies:
            if size > self._judge_max:
                self.heard.append((What.UNJUDGED, b"", text, size))
            else:
                self.heard.append((What.MESSAGE, frames, text, size))

    # -- what the session asks for -------------------------------------------------------------------------------

    def arm(self) -> None:
        """From now on look for answers to CALLs of ours. A message already on its way out is not looked at."""
        self.armed = not self.broken
        self._settle()

    def expect_pong(self, payload: bytes) -> None:
        """Keep pongs with this payload back, late ones too; the last eight payloads are remembered."""
        self._own_pings = [*self._own_pings[-7:], payload]

    def hold(self) -> None:
        """From now on hold CALLs; without effect after an overflow, a Close or a violated structure."""
        self.holding = not (self._overflowed or self.broken or self.closed)
        self._settle()

    def release(self) -> bytes:
        """Hold no more; return what goes out now. Inside an open message the rest waits for its end."""
        self.holding = False
        self._overflowed = False
        if self.is_open:
            self._release_due = bool(self._held)
            return b""
        out = self._held_out()
        if self._way is Way.HELD or (self._way is Way.UNDECIDED and not self.armed):
            out += self._flow_on(final=False)
        self._settle()
        return out

    def let_go(self) -> bytes:
        """A Close or the end of the stream comes: return what waits, in order. What cannot go out legally is dropped.

        Half a message may go out: it is what would have been sent had nobody looked.
        """
        self.holding = False
        self._release_due = False
        if self.is_open:
            self._drop_held()
            return b""
        out = self._held_out()
        if self._way in (Way.HELD, Way.UNDECIDED):
            out += self._flow_on(final=False)
        return out

    def _held_out(self) -> bytes:
        held = self._held
        self._drop_held()
        for frames, text, size in held:
            self._tell(frames, text, size)
        return b"".join(frames for frames, _, _ in held)

    def _drop_held(self) -> None:
        self._held, self._held_bytes, self.held_count = [], 0, 0
