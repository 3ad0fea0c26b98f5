"""What the relay is told: one frozen value. And what it counts: plain integers, for metrics to read."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """TCP keepalive of both connections (DESIGN R10). Seconds, except probes."""

    idle: int = 20
    interval: int = 5
    probes: int = 3
    user_timeout: int = 35


@dataclass(frozen=True, slots=True)
class CentralSystem:
    """Where the central system listens. base: path in front of every request's own, without a slash at its end."""

    host: str
    port: int
    tls: bool
    base: str

    @property
    def authority(self) -> str:
        """Value of the Host header; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@lru_cache(maxsize=8)
def central_system(url: str) -> CentralSystem:
    """Read ``ws://host[:port][/base]`` or ``wss://...``.

    Raises ValueError, in words for the owner, for anything else: a query, a fragment or a user in it too.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"}:
        raise ValueError(f"central system: {url!r} does not begin with ws:// or wss://")
    if not parts.hostname:
        raise ValueError(f"central system: {url!r} names no host")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("central system: a user, a query or a fragment in the address is not supported")
    if not parts.path.isascii() or any(c <= " " for c in parts.path):
        raise ValueError(f"central system: the path of {url!r} must be percent-encoded")
    tls = parts.scheme == "wss"
    return CentralSystem(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Everything the relay can be told. Seconds and bytes, unless the name says otherwise; None: no limit.

    admitted: charge point id to its own password or None; None instead of a mapping lets everybody in.
    server_tls: context of the listening side. client_tls: context towards a ``wss://`` central system.
    """

    central_system: str
    host: str = "0.0.0.0"
    port: int = 8890
    server_tls: ssl.SSLContext | None = None
    client_tls: ssl.SSLContext | None = None
    connect_timeout: float = 10.0
    handshake_timeout: float = 10.0
    head_limit: int = 32 * KIB
    early_limit: int = 64 * KIB
    max_message: int = 4 * MIB
    judge_max: int = 256 * KIB
    write_high: int = 256 * KIB
    stall: float = 45.0
    keep_alive: KeepAlive = field(default_factory=KeepAlive)
    forwarded_for: bool = True
    repair_path: bool = True
    admitted: Mapping[str, str | None] | None = None
    connections_per_address: int | None = 2048
    handshakes_per_second: float | None = 100.0
    handshake_burst: int = 1000
    handshakes_at_once: int | None = 1024
    duplicate_probe: float = 2.0
    fight_burst: int = 6
    fight_refill: float = 10.0
    flush: float = 0.9
    close_patience: float = 4.0

    def __post_init__(self) -> None:
        central_system(self.central_system)


REFUSALS = (
    "address_connections", "address_rate", "body", "busy", "central_system", "duplicate", "fault", "fight", "guesses",
    "head_too_large", "head_too_slow", "headers", "key", "malformed", "method", "no_password", "no_upgrade",
    "not_admitted", "silent", "stopping", "target", "unreachable", "version", "wrong_password",
)  # fmt: skip
"""Every reason a handshake is refused for; ``central_system``: it refused this charge point itself."""


@dataclass(slots=True)
class RelayCounters:
    """Plain integers. refusals: handshakes refused, by reason (one of ``REFUSALS``). central_system_answers: whether it
    did when it was dialled last, be it with a refusal; None before the first time."""

    charge_point_connections: int = 0
    central_system_connections: int = 0
    sessions: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    unjudged: int = 0
    duplicates: int = 0
    held: int = 0
    injected: int = 0
    withheld: int = 0
    central_system_answers: bool | None = None
