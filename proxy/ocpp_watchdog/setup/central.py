"""Is there a central system at this address that speaks OCPP 1.6? Dials it once and hangs up."""

from __future__ import annotations

import asyncio
import socket
import ssl
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientError,
    ClientSession,
    ClientTimeout,
    WSServerHandshakeError,
)

OCPP = "ocpp1.6"
CALLER = "ocpp-watchdog-doctor"
"""The id it dials with. evcc lets any id in and forgets this one when it hangs up (it shows up in its log)."""
PATIENCE_SECONDS = 5.0


class Central(StrEnum):
    """What was found at an address."""

    GOOD = "good"
    NO_NAME = "no_name"
    NOBODY = "nobody"
    SILENT = "silent"
    BAD_CERTIFICATE = "bad_certificate"
    NOT_OCPP = "not_ocpp"
    REFUSES = "refuses"


async def look(url: str, ca: Path | None = None, patience_seconds: float = PATIENCE_SECONDS) -> Central:
    """Dial ``url`` (ws:// or wss://, without the id). REFUSES: it wants something else of a charge point, a password
    for example; then only the wallbox itself can find out."""
    try:
        context = ssl.create_default_context(cafile=ca) if urlsplit(url).scheme == "wss" else None
    except (OSError, ssl.SSLError):
        return Central.BAD_CERTIFICATE
    timeout = ClientTimeout(total=patience_seconds)
    try:
        async with asyncio.timeout(patience_seconds), ClientSession(timeout=timeout, trust_env=False) as session:
            where = f"{url}/{CALLER}"
            async with session.ws_connect(where, protocols=(OCPP,), ssl=context or True, autoping=False) as line:
                return Central.GOOD if line.protocol == OCPP else Central.NOT_OCPP
    except WSServerHandshakeError as error:
        return Central.REFUSES if error.status in {401, 403} else Central.NOT_OCPP
    except ClientConnectorCertificateError:
        return Central.BAD_CERTIFICATE
    except (ClientConnectorDNSError, socket.gaierror):
        return Central.NO_NAME
    except TimeoutError:
        return Central.SILENT
    except ssl.SSLError:
        return Central.BAD_CERTIFICATE
    except (ClientError, OSError):
        return Central.NOBODY
