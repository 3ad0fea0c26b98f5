"""How the running proxy says it is. With the standard library alone, for it is asked every half minute."""

from __future__ import annotations

from enum import StrEnum
from http.client import HTTPConnection, HTTPException

PATIENCE_SECONDS = 5.0
HEALTH_PATH = "/healthz"
GOOD, BAD = 200, 503


class Health(StrEnum):
    """A key of the texts ``HEALTH``."""

    GOOD = "good"
    BAD = "bad"
    GONE = "gone"
    """Nobody of ours answers there."""


def health_at(address: str) -> Health:
    """Ask the pages at host:port."""
    try:
        connection = HTTPConnection(address, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", HEALTH_PATH)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (HTTPException, OSError, ValueError):
        return Health.GONE
    return {GOOD: Health.GOOD, BAD: Health.BAD}.get(status, Health.GONE)
