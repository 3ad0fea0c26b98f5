"""How a request is turned away: a line of text for the pages, JSON with a code and a sentence for the API."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.owner import REQUESTS

API = "/api/"


def refusal(request: web.Request, status: int, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer to a request that is not served. code: a key of ``REQUESTS``."""
    sentence = REQUESTS[code]
    if not request.path.startswith(API):
        return web.Response(text=sentence(Language.EN) + "\n", status=status, headers=headers)
    text = {str(language): sentence(language) for language in Language}
    return web.json_response({"error": {"code": code, "text": text}}, status=status, headers=headers)
