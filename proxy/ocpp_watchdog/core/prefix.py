"""How a message begins: is it an answer to a CALL of ours, or a CALL (OCPP-J 1.6 §4.2)?

Looks at the first payload bytes only and parses nothing: what is decided here keeps frames from going out at once, so
it must be quick, and it must never be wrong about a message of somebody else (DESIGN R5).
"""

from __future__ import annotations

import re

PREFIX_BYTES = 96
"""So many payload bytes decide; an answer of ours that begins with more white space than that is not recognised."""

_SPACE = rb"[ \t\r\n]*"  # JSON's white space, RFC 8259 §2
_OWN_ID = (rb'"', rb"w", rb"d", rb"-", *(rb'[^"\\]',) * 16, rb'"')


class Prefix:
    """A sequence of tokens that a message may begin with."""

    def __init__(self, *tokens: bytes) -> None:
        """tokens: patterns of one byte each, with ``_SPACE`` in between where white space may stand."""
        part = b""
        for token in reversed(tokens):
            part = token + part if token is _SPACE else b"(?:" + token + part + b")?"
        self._whole = re.compile(_SPACE + b"".join(tokens))
        self._part = re.compile(_SPACE + part + rb"\Z")

    def begins(self, begun: bytes) -> bool:
        """Whether these bytes begin with the whole of it."""
        return self._whole.match(begun) is not None

    def may_still_begin(self, begun: bytes) -> bool:
        """Whether these bytes are a beginning of it, so that more of them could make it whole."""
        return self._part.match(begun) is not None


ANSWER_TO_OURS = Prefix(rb"\[", _SPACE, rb"[34]", _SPACE, rb",", _SPACE, *_OWN_ID)
"""CALLRESULT or CALLERROR whose unique id is ours: ``wd-`` and 16 characters."""

CALL = Prefix(rb"\[", _SPACE, rb"2", _SPACE, rb",")
