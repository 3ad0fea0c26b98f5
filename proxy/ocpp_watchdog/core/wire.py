"""WebSocket frames as bytes: where one ends, what its payload says, how a frame of our own is built (RFC 6455 §5.2).

Frames are looked at and never altered: what is forwarded are the bytes that came. Knows nothing of OCPP, of messages
that are held, nor of sockets; ``lane.py`` decides what passes.
"""

from __future__ import annotations

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
RSV = 0x70
OPCODE = 0x0F
MASKED = 0x80

WHOLE_TEXT = FIN | TEXT
"""First byte of a text message in one frame, without reserved bits."""

BEGINNING = 80
"""So many bytes of a payload ``beginning`` gives: enough for a unique id of 36 and an action, and no more than that,
for the half of what a frame costs the judge is to unmask them."""

CLOSE_REASON_MAX = 123
"""Bytes: a control frame carries at most 125, two of them the code (RFC 6455 §5.5)."""


def measure(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return (length of the head, length of the payload) of the frame that begins at ``at``, in bytes.

    The head includes the mask's key. (0, n): the head is cut, and at least n bytes from ``at`` are needed to read on.
    The payload's length is what is announced, up to 2^64-1; it need not be there yet. RFC 6455 §5.2.
    """
    have = len(data) - at
    if have < 2:
        return 0, 2
    second = data[at + 1]
    length = second & 0x7F
    head = 6 if second & MASKED else 2
    if length < 126:
        return head, length
    if length == 126:
        return (head + 2, data[at + 2] << 8 | data[at + 3]) if have >= 4 else (0, 4)
    return (head + 8, int.from_bytes(data[at + 2 : at + 10], "big")) if have >= 10 else (0, 10)


_REPEATED = int.from_bytes(b"\1\0\0\0" * (BEGINNING // 4), "little")
"""Times a key of four bytes: that key, again and again."""


def apply_mask(payload: bytes, key: bytes) -> bytes:
    """Mask or unmask: both are the same exclusive or with the four bytes of the key (RFC 6455 §5.3)."""
    size = len(payload)
    if not size or key == b"\0\0\0\0":
        return payload
    keys = key * (size // 4 + 1)
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys[:size], "little")).to_bytes(size, "little")


def beginning(frame: bytes) -> bytes:
    """Return the first ``BEGINNING`` payload bytes, unmasked, of one whole frame; fewer where it has no more."""
    second = frame[1]
    length = second & 0x7F
    body = 2 if length < 126 else 4 if length == 126 else 10
    if second < MASKED:
        return frame[body : body + BEGINNING]
    masked = frame[body + 4 : body + 4 + BEGINNING]
    size = len(masked)
    keys = int.from_bytes(frame[body : body + 4], "little") * _REPEATED
    if size < BEGINNING:
        keys &= (1 << size * 8) - 1
    return (int.from_bytes(masked, "little") ^ keys).to_bytes(size, "little")


def payload_of(frames: bytes | bytearray, limit: int | None = None) -> bytes:
    """Return the unmasked payload of whole frames that follow each other: one frame, or a message in fragments.

    limit: no more than so many bytes of it.
    """
    head, length = measure(frames, 0)
    if head + length == len(frames):  # by far the most: one frame
        payload = bytes(frames[head:] if limit is None else frames[head : head + limit])
        return apply_mask(payload, bytes(frames[head - 4 : head])) if frames[1] & MASKED else payload
    at, size = 0, len(frames)
    pieces = []
    wanted = size if limit is None else limit
    while at < size and wanted > 0:
        head, length = measure(frames, at)
        body = at + head
        piece = bytes(frames[body : body + min(length, wanted)])
        if frames[at + 1] & MASKED:
            piece = apply_mask(piece, bytes(frames[body - 4 : body]))
        pieces.append(piece)
        wanted -= length
        at = body + length
    return b"".join(pieces)


def frame(opcode: int, payload: bytes, key: bytes | None) -> bytes:
    """Build one whole final frame of our own.

    key: four fresh random bytes towards the central system (we are its client), None towards the charge point.
    """
    size = len(payload)
    masked = 0 if key is None else MASKED
    if size < 126:
        head = bytes((FIN | opcode, masked | size))
    elif size < 1 << 16:
        head = bytes((FIN | opcode, masked | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((FIN | opcode, masked | 127)) + size.to_bytes(8, "big")
    return head + payload if key is None else head + key + apply_mask(payload, key)


def close_payload(code: int, reason: str) -> bytes:
    """Payload of a Close frame; a reason that is too long is cut at a character (RFC 6455 §5.5.1)."""
    text = reason.encode("utf-8", "replace")[:CLOSE_REASON_MAX].decode("utf-8", "ignore")
    return code.to_bytes(2, "big") + text.encode()


def close_code(payload: bytes) -> int | None:
    """The code a Close frame carries; None: it carries none."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
