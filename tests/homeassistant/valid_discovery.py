"""Run by the Python that has Home Assistant: holds announcements to its own schemas.

Standard input: a JSON list of messages. Standard output: its version, then what it complains of, a line each.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import tempfile
from typing import Any

from homeassistant.components.mqtt import discovery, schemas
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame


def complaint(message: dict[str, Any]) -> str:
    """What Home Assistant says against it, empty when nothing."""
    try:
        schemas.DEVICE_DISCOVERY_SCHEMA(message)
        for name, component in message["components"].items():
            shared = {option: message[option] for option in discovery.SHARED_OPTIONS if option in message}
            whole = {**shared, **component, "device": message["device"], "origin": message["origin"]}
            platform = importlib.import_module(f"homeassistant.components.mqtt.{whole.pop('platform')}")
            try:
                platform.DISCOVERY_SCHEMA(whole)
            except Exception as error:
                return f"{name}: {error}"
    except Exception as error:
        return str(error)
    return ""


async def main() -> None:
    if hasattr(frame, "async_setup"):  # some checks of newer versions ask it
        frame.async_setup(HomeAssistant(tempfile.gettempdir()))
    print(__version__)
    for each in json.load(sys.stdin):
        print(complaint(each).replace("\n", " ") or "good")


if __name__ == "__main__":
    asyncio.run(main())
