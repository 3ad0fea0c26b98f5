"""Run by the Python that has Home Assistant: prints what a Home Assistant with nothing but MQTT would install by itself
at its first start, with the versions that belong to it, as pip reads it."""

from __future__ import annotations

import json
from pathlib import Path

import homeassistant
from homeassistant import bootstrap

ALWAYS = {"homeassistant", "persistent_notification", "isal", "system_log", "http", "mqtt", "hassio"}
"""The last one is not set up without a Supervisor, but others import it."""
PLATFORMS = {"binary_sensor", "button", "event", "sensor", "switch"}
PACKAGE = Path(homeassistant.__file__).parent
COMPONENTS = PACKAGE / "components"


def needed() -> set[str]:
    """Requirements of these and of whatever they depend on."""
    waiting = ALWAYS | PLATFORMS | set(bootstrap.DEFAULT_INTEGRATIONS)
    seen: set[str] = set()
    found: set[str] = set()
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        file = COMPONENTS / domain / "manifest.json"
        manifest = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        found.update(manifest.get("requirements", ()))
        waiting |= set(manifest.get("dependencies", ())) - seen
    return found


if __name__ == "__main__":
    print(f"--constraint {PACKAGE / 'package_constraints.txt'}", *sorted(needed()), sep="\n")
