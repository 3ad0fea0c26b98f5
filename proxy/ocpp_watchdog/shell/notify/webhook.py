"""Every notice as a POST with a JSON body: for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ocpp_watchdog.shell.notify.message import Message
from ocpp_watchdog.shell.notify.sending import request


@dataclass(frozen=True, slots=True)
class Webhook:
    """url: where to; may carry a token."""

    url: str = field(repr=False)

    def wants(self, message: Message) -> bool:
        """Each detail."""
        return True

    async def send(self, message: Message, seconds: float) -> None:
        """One POST. Raises NotTakenError, RefusedError."""
        body = json.dumps(message.body).encode()
        await request("POST", self.url, seconds, body=body, headers={"Content-Type": "application/json"})
