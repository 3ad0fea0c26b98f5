"""What the tests of the relay share: the loop they run on, and both ends of TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


if os.environ.get("OCPP_WATCHDOG_TEST_LOOP") == "uvloop":

    @pytest.hookimpl(optionalhook=True)
    def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        """The same tests on the other loop."""
        import uvloop

        return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def tls(certificate: Path) -> Contexts:
    """(context of a server, context of a client that trusts it)."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    return server, ssl.create_default_context(cafile=certificate)
