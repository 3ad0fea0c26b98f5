"""The charge point's end of one WebSocket, shaped as the ``ocpp`` package wants it: ``recv()`` and ``send(text)``."""

from __future__ import annotations

import socket

import aiohttp

from .transcript import Transcript


class LinkClosedError(Exception):
    """The connection has ended; the text says how."""


class Link:
    """One open WebSocket of a charge point. Everything that passes is written into the transcript."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, charge_point: str, transcript: Transcript) -> None:
        self._websocket = websocket
        self._charge_point = charge_point
        self._transcript = transcript
        self.heard = False
        """Whether anything has come from the other side."""

    async def recv(self) -> str:
        """The next message. Raises LinkClosedError at the end."""
        message = await self._websocket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            text = str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            text = bytes(message.data).decode("utf-8", "replace")
        else:
            reason = message.extra if message.type is aiohttp.WSMsgType.CLOSE else ""
            raise LinkClosedError(f"{self._websocket.close_code} {reason or ''}".strip())
        self.heard = True
        self._transcript.add(self._charge_point, "received", text)
        return text

    async def send(self, text: str) -> None:
        """Send one text message. Raises LinkClosedError when the connection has ended."""
        if self._websocket.closed:
            raise LinkClosedError(str(self._websocket.close_code))
        self._transcript.add(self._charge_point, "sent", text)
        try:
            await self._websocket.send_str(text)
        except ConnectionError as error:
            raise LinkClosedError(str(error)) from error

    async def ping(self) -> None:
        """Send an empty Ping."""
        try:
            await self._websocket.ping()
        except ConnectionError as error:
            raise LinkClosedError(str(error)) from error

    async def close(self) -> None:
        """End the connection with a Close frame."""
        await self._websocket.close()

    def drop(self) -> None:
        """End the TCP connection without a Close frame, as a box does that loses its wits."""
        sock = self._websocket.get_extra_info("socket")
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
