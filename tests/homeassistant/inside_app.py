"""Run in a network of its own that has the two addresses of Home Assistant: begins the app as its image would, asks its
pages from both, and ends it. Arguments: the app's folder, and one that it may write to. Says what it saw as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

HERE, SUPERVISOR = "172.30.32.1", "172.30.32.2"
BEGIN = """
import os, sys
from pathlib import Path
import start
here = Path(sys.argv[1])
start.OPTIONS, start.OWNERS_FILE, start.SUPERVISOR = here / "options.json", here / "none.yaml", "http://127.0.0.1:1"
start.USER = os.getuid()
start.main()
"""


def asked(source: str, path: str) -> int:
    """Status of a page, asked from this address; 0: nobody answers."""
    line = HTTPConnection(HERE, 8891, timeout=5, source_address=(source, 0))
    try:
        line.request("GET", path, headers={"Host": "homeassistant.local:8123"})
        return line.getresponse().status
    except OSError:
        return 0
    finally:
        line.close()


def main(app: str, folder: Path) -> None:
    (folder / "options.json").write_text('{"mode": "observe", "central_system": "", "mqtt": {}}')
    state = {"STATE_DIRECTORY": str(folder / "state"), "OCPP_WATCHDOG_CONFIG": str(folder / "state" / "settings.json")}
    around = os.environ | state | {"PYTHONPATH": app, "SUPERVISOR_TOKEN": "secret", "PYTHONDONTWRITEBYTECODE": "1"}
    order = [sys.executable, "-c", BEGIN, str(folder)]
    with subprocess.Popen(order, env=around, stderr=subprocess.PIPE, text=True) as proxy:
        for _ in range(300):
            if asked(HERE, "/healthz") == 200 or proxy.poll() is not None:
                break
            time.sleep(0.1)
        pages = ("/", "/metrics", "/api/v1/state", "/healthz")
        seen = {path: (asked(SUPERVISOR, path), asked(HERE, path)) for path in pages}
        health = subprocess.run(["ocpp-watchdog", "healthcheck"], env=around, check=False, capture_output=True)
        proxy.send_signal(signal.SIGTERM)
        assert proxy.stderr is not None
        log = proxy.stderr.read()
        ended = proxy.wait(20)
    print(json.dumps({"seen": seen, "health": health.returncode, "ended": ended, "log": log}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
