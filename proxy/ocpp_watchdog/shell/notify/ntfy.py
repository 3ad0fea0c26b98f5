"""Push messages by ntfy (ntfy.sh or a server of one's own), in its JSON form, which carries any letter in a title."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import unquote

from ocpp_watchdog.core.decisions import Severity
from ocpp_watchdog.shell.notify.message import Message
from ocpp_watchdog.shell.notify.sending import request
from ocpp_watchdog.texts.catalogue import Language

PRIORITIES = {Severity.INFO: 3, Severity.WARNING: 4, Severity.CRITICAL: 5}
TAGS = {Severity.INFO: "white_check_mark", Severity.WARNING: "warning", Severity.CRITICAL: "rotating_light"}


@dataclass(frozen=True, slots=True)
class Ntfy:
    """url: the topic's own address, https://server/topic; who knows it can read it. token: of a protected one."""

    url: str = field(repr=False)
    language: Language
    token: str | None = field(default=None, repr=False)

    def wants(self, message: Message) -> bool:
        """What people want to know."""
        return message.is_for_people

    async def send(self, message: Message, seconds: float) -> None:
        """One POST to the server, which names the topic in its body. Raises NotTakenError, RefusedError."""
        server, _, topic = self.url.rstrip("/").rpartition("/")
        body = {
            "topic": unquote(topic),
            "title": message.title[self.language],
            "message": message.text[self.language],
            "priority": PRIORITIES[message.severity],
            "tags": [TAGS[message.severity]],
        }
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        await request("POST", server + "/", seconds, body=json.dumps(body).encode(), headers=headers)
