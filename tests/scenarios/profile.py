"""How hard the generated tests look: ``HYPOTHESIS_PROFILE=deep`` for the long run, quick otherwise."""

from __future__ import annotations

import os

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def pick(quick: int, deep: int) -> int:
    """A number of examples, trials or samples."""
    return deep if DEEP else quick
