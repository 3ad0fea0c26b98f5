"""The relay without everything else, for relaycheck, netlab and measuring.

    python tests/conformance/relay_alone.py --listen 127.0.0.1:9000 --central ws://127.0.0.1:9100 [--uvloop] [--judge]

Limits per address are off and ``connect_timeout`` is 4 s, as relaycheck wants it. Prints the bound port; ends on SIGTERM.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import ssl

from ocpp_watchdog.shell.relay import Relay, RelaySettings


class Listener:
    """A judge that takes everything and does nothing."""

    wants_messages = True

    def opened(self, link):
        pass

    def passed(self, direction, frames):
        pass

    def withheld(self, frames):
        pass

    def injected(self, frame):
        pass

    def unjudged(self, direction, size):
        pass

    def held(self, count):
        pass

    def closed(self, reason):
        pass


async def run(args):
    host, _, port = args.listen.rpartition(":")
    server_tls = client_tls = None
    if args.cert:
        server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_tls.load_cert_chain(args.cert)
        client_tls = ssl.create_default_context(cafile=args.cert)
    settings = RelaySettings(
        central_system=args.central,
        host=host,
        port=int(port),
        connect_timeout=4.0,
        connections_per_address=None,
        handshakes_per_second=None,
        handshakes_at_once=None,
        fight_burst=10**6,
        max_message=args.max_message << 20,
        server_tls=server_tls,
        client_tls=client_tls,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    judges = (lambda charge_point, peer: Listener()) if args.judge else None
    async with Relay(settings, judges) as relay:
        print(relay.port, flush=True)
        await stop.wait()
    print(relay.counters, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:9000")
    parser.add_argument("--central", default="ws://127.0.0.1:9100")
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--cert", help="PEM with key, for TLS on the listening side and as the CA of a wss:// one")
    parser.add_argument("--max-message", type=int, default=4, metavar="MIB")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    factory = None
    if args.uvloop:
        import uvloop

        factory = uvloop.new_event_loop
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run(args))


if __name__ == "__main__":
    main()
