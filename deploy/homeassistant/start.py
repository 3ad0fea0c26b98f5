"""Starts the proxy as an app of Home Assistant: options, broker and the owner's file become its one settings file.

What stands later wins: what an app needs, the broker that Home Assistant offers, the owner's ocpp-watchdog.yaml, the
options. It begins as root, since the folder is root's, and goes on as a user without rights.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import yaml

USER = 8890
OPTIONS = Path("/data/options.json")
OWNERS_FILE = Path("/config/ocpp-watchdog.yaml")
SUPERVISOR = "http://supervisor"
EX_CONFIG = 78
APP = {"admin": {"listen": "172.30.32.1:8891", "trusted_proxy": "172.30.32.2"}}
"""This machine on the network of Home Assistant's apps, and who comes from there with a page's request: the Supervisor,
which has asked who it is."""


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """All of them; what stands later wins."""
    found: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            below = found.get(name)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            found[name] = merged(below, value) if both else value
    return found


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says: a field that was cleared says nothing."""
    inner = {name: said(value) if isinstance(value, Mapping) else value for name, value in options.items()}
    return {name: value for name, value in inner.items() if value not in (None, "", [], {})}


def offered_broker(supervisor: str, token: str | None) -> dict[str, Any]:
    """The broker that Home Assistant knows of, as settings; empty when there is none."""
    if not token:
        return {}
    request = urllib.request.Request(f"{supervisor}/services/mqtt", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10.0) as response:
            found = json.load(response)["data"]
        scheme = "mqtts" if found.get("ssl") else "mqtt"
        url = f"{scheme}://{found['host']}:{found['port']}"
    except (URLError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        say(f"Home Assistant offers no MQTT broker ({getattr(error, 'code', None) or type(error).__name__})")
        return {}
    say(f"MQTT over the broker of Home Assistant at {found['host']}:{found['port']}")
    return said({"url": url, "user": found.get("username"), "password": found.get("password")})


def settings(options: Path, owners_file: Path, supervisor: str, token: str | None) -> dict[str, Any]:
    """Everything that the proxy is told. Raises ValueError, in one line, for a file that cannot be used."""
    chosen = merged(read(owners_file), said(read(options)))
    own_broker = chosen.get("mqtt")
    is_named = isinstance(own_broker, Mapping) and own_broker.get("url")
    return merged(APP, {"mqtt": {} if is_named else offered_broker(supervisor, token)}, chosen)


def read(path: Path) -> dict[str, Any]:
    """A file of settings; one that is not there says nothing."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"{path}: cannot be read" + (f", line {mark.line + 1}" if mark else "")) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{path}: must hold settings by name")
    return values


def write(values: Mapping[str, Any], file: Path, user: int) -> None:
    """For this user's eyes alone: it holds passwords. So is all else in its folder, whoever restored it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        json.dump(values, output, indent=2)
    for path in (file.parent, *file.parent.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def say(line: str) -> None:
    """One line of the app's log."""
    sys.stderr.write(line + "\n")


def main() -> None:
    """Until the proxy takes over."""
    try:
        values = settings(OPTIONS, OWNERS_FILE, SUPERVISOR, os.environ.pop("SUPERVISOR_TOKEN", None))
    except ValueError as error:
        say(f"ocpp-watchdog: {error}")
        raise SystemExit(EX_CONFIG) from None
    os.environ.pop("HASSIO_TOKEN", None)
    write(values, Path(os.environ["OCPP_WATCHDOG_CONFIG"]), USER)
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)
    os.execvp("ocpp-watchdog", ["ocpp-watchdog", "run"])


if __name__ == "__main__":
    main()
