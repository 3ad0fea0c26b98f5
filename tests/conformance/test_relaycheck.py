"""relaycheck against the relay alone: the protocol errors always, all 105 cases with CONFORMANCE=1 (80 s)."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ALL = os.environ.get("CONFORMANCE") == "1"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@pytest.fixture
def relay():
    """(the relay's process, its address, the address that it dials)."""
    front, central = (f"127.0.0.1:{free_port()}" for _ in range(2))
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1] / "proxy")}
    command = [sys.executable, str(HERE / "relay_alone.py"), "--listen", front, "--central", f"ws://{central}", "--judge"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield process, front, central
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_relaycheck_finds_nothing_that_fails(relay, tmp_path):
    process, front, central = relay
    report = tmp_path / "report.json"
    only = [] if ALL else ["--only", "E,H18,H19,F08,F09,S01,X10,X11"]
    ends = ["--front", front, "--listen", central, "--pid", str(process.pid), "--json", str(report)]
    subprocess.run([sys.executable, str(HERE / "relaycheck.py"), "-q", *ends, *only], timeout=300, check=False)
    cases = json.loads(report.read_text())["cases"]
    assert len(cases) == (105 if ALL else 46)
    assert [(case["id"], case["note"]) for case in cases if case["verdict"] == "FAIL"] == []
