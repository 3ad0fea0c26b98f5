"""A minimal, fast OCPP central system: answers every CALL with an empty CALLRESULT.

One action is more to it: StartTransaction is answered with a transaction id, and right behind that the charge point is
ordered 0 A. That is all the phase `detect` needs of a central system.

Runs as its own process. Built on picows + uvloop (C and Cython) so that it costs a
few microseconds a call and does not become the bottleneck of a measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from payload import CALL_PREFIX, RESULT_PREFIX, SUBPROTOCOL, stop_order

_ID_START = len(CALL_PREFIX)
_TEXT = WSMsgType.TEXT
_FIRST_TRANSACTION = 41_827
_START = b"StartTransaction"


class CentralSystem(WSListener):
    """Answers CALLs; ignores everything else except a close."""

    transactions = itertools.count(_FIRST_TRANSACTION)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Reply to one frame; called by picows from the socket's read callback."""
        kind = frame.msg_type
        if kind is _TEXT:
            text = frame.get_payload_as_bytes()
            if text.startswith(CALL_PREFIX):
                end = text.index(b'"', _ID_START)
                if _START in text[end : end + 24]:
                    self._start(transport, text[_ID_START:end])
                else:
                    transport.send(_TEXT, RESULT_PREFIX + text[_ID_START:end] + b'",{}]')
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def _start(self, transport: WSTransport, unique_id: bytes) -> None:
        """Begin a transaction, and order it to stop."""
        number = next(CentralSystem.transactions)
        answer = b'",{"idTagInfo":{"status":"Accepted"},"transactionId":%d}]' % number
        transport.send(_TEXT, RESULT_PREFIX + unique_id + answer)
        transport.send(_TEXT, stop_order(b"order-%d" % number))


def _accept(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener | WSListener:
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if SUBPROTOCOL not in {name.strip() for name in offered.split(",")}:
        return CentralSystem()
    response = WSUpgradeResponse.create_101_response([("Sec-WebSocket-Protocol", SUBPROTOCOL)])
    return WSUpgradeResponseWithListener(response, CentralSystem())


async def serve(host: str, port: int) -> None:
    """Serve until cancelled."""
    server = await ws_create_server(_accept, host, port, backlog=4096, read_buffer_init_size=4096)
    await server.serve_forever()


def main() -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    uvloop.install()
    asyncio.run(serve(args.host, args.port))


if __name__ == "__main__":
    main()
