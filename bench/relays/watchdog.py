"""This program as a target: all of it, or its relay alone.

--part product   everything that exists, switched on: relay, judge, metrics, journal. Started as a user starts it:
                 `ocpp-watchdog run` with a settings file. Only the limits per address are lifted, because here
                 every charge point comes from one address.
--part relay     the relay and nothing else: no judge, no copies of messages, no pages
--fast           with uvloop and msgspec, which the program takes up by itself where they are installed (extra `fast`);
                 without this flag both are hidden, so that one environment serves for both
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib.util
import signal
import socket
import sys
from pathlib import Path
from typing import Any

FAST = ("uvloop", "msgspec")
UNLIMITED = {"connections_per_address": None, "handshakes_per_second": None, "handshakes_at_once": None}


def free_port() -> int:
    """A port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unlimited(settings: Any) -> Any:
    """Relay settings without the limits that exist per address."""
    known = {field.name for field in dataclasses.fields(settings)}
    return dataclasses.replace(settings, **{name: value for name, value in UNLIMITED.items() if name in known})


def hide() -> None:
    """Importing uvloop or msgspec fails from now on, as if they were not installed."""
    for name in FAST:
        sys.modules[name] = None  # type: ignore[assignment]


def product(args: argparse.Namespace) -> None:
    """`ocpp-watchdog run` in this process, until SIGTERM."""
    from ocpp_watchdog import app
    from ocpp_watchdog.__main__ import main

    original = app.relay_settings
    app.relay_settings = lambda settings: unlimited(original(settings))
    config = args.directory / "ocpp-watchdog.yaml"
    journal = "off" if args.journal == "off" else f"sqlite:///{args.directory / 'journal.db'}"
    config.write_text(
        f'listen: "127.0.0.1:{args.port}"\n'
        f'central_system: "{args.upstream}"\n'
        f'admin:\n  listen: "127.0.0.1:{args.admin_port or free_port()}"\n'
        f'journal: "{journal}"\n'
    )
    sys.argv = ["ocpp-watchdog", "run", "--config", str(config)]
    main()


async def relay(args: argparse.Namespace) -> None:
    """The relay alone, until SIGTERM."""
    from ocpp_watchdog.shell.relay import Relay, RelaySettings

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = unlimited(RelaySettings(central_system=args.upstream, host="127.0.0.1", port=args.port))
    async with Relay(settings):
        await stop.wait()


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="ws://host:port")
    parser.add_argument("--part", choices=("product", "relay"), default="product")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--journal", choices=("on", "off"), default="on", help="on: SQLite and segments in --directory")
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="where the settings file is written")
    parser.add_argument("--admin-port", type=int, default=0, help="pages and metrics; default: any free port")
    args = parser.parse_args()
    if not args.fast:
        hide()
    elif not all(importlib.util.find_spec(name) for name in FAST):
        raise SystemExit(f"{' and '.join(FAST)} must be installed")
    if args.part == "product":
        product(args)
        return
    factory = None
    if args.fast:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(relay(args))


if __name__ == "__main__":
    main()
