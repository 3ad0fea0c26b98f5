"""Links that go dark, are cut, lose packets: the relay in the middle of netlab's three namespaces (R10, faults T1 to T5, T15).

    sudo python tests/conformance/darkness.py            about four minutes; exit 1 when something fails

Each end runs in its own namespace and writes one line of JSON for what it saw.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = str(HERE / "netlab.sh")
TELLS_WITHIN = 45.0
REQUEST = (
    b"GET /DARK HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def head(sock):
    got = b""
    while b"\r\n\r\n" not in got:
        piece = sock.recv(4096)
        if not piece:
            raise SystemExit("no head")
        got += piece
    return got


def end(role, seconds, messages):
    """One end: sends `messages` numbered frames a second apart, reads until the end, tells what came and when."""
    if role == "charger":
        sock = socket.create_connection(("10.77.1.1", 9000), 10)
        sock.sendall(REQUEST)
        head(sock)
    else:
        listener = socket.create_server(("10.77.2.2", 9100))
        print("ready", flush=True)
        sock, _ = listener.accept()
        head(sock)
        sock.sendall(ANSWER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.monotonic()
    got, how, sent = b"", "open", 0
    while time.monotonic() - began < seconds:
        if sent < messages and time.monotonic() - began >= sent:
            mask = b"\x80\0\0\0\0" if role == "charger" else b"\0"
            body = b"%06d" % sent
            sock.sendall(b"\x82" + bytes((mask[0] | len(body),)) + mask[1:] + body)
            sent += 1
        sock.settimeout(0.2)
        try:
            piece = sock.recv(65536)
        except TimeoutError:
            continue
        except OSError as error:
            how = type(error).__name__
            break
        if not piece:
            how = "FIN"
            break
        got += piece
    skip = 2 if role == "charger" else 6
    size = skip + 6
    bodies = [got[at + skip : at + size] for at in range(0, len(got) - size + 1, size)]
    numbers = [int(body) for body in bodies if body.isdigit()]  # not a Close of the relay's
    print(json.dumps({"role": role, "how": how, "after": time.monotonic() - began, "numbers": numbers}), flush=True)


def lab(*words):
    subprocess.run([LAB, *words], check=True, stdout=subprocess.DEVNULL)


def inside(name, *command):
    return subprocess.Popen([LAB, "in", name, *command], stdout=subprocess.PIPE, text=True)


def scene(seconds, messages, *steps):
    """Join a session, do the steps ((moment, words for netlab), ...), and return what (charger, central) saw."""
    me = [sys.executable, str(Path(__file__).resolve()), "end"]
    lab("up")
    relay = inside(
        "relay", sys.executable, str(HERE / "relay_alone.py"), "--listen", "10.77.1.1:9000", "--central", "ws://10.77.2.2:9100"
    )
    try:
        relay.stdout.readline()
        central = inside("central", *me, "central", str(seconds + 3), str(messages))  # outlives the charger
        central.stdout.readline()  # it listens
        charger = inside("charger", *me, "charger", str(seconds), str(messages))
        began = time.monotonic()
        for moment, *words in steps:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            lab(*words)
        return [json.loads(process.communicate(timeout=seconds + 30)[0].splitlines()[-1]) for process in (charger, central)]
    finally:
        relay.terminate()
        relay.wait(20)
        lab("down")


def is_told(report, at):
    return report["how"] != "open" and report["after"] - at <= TELLS_WITHIN


def is_whole(reports, messages):
    return reports[0]["how"] == "open" and all(report["numbers"] == list(range(messages)) for report in reports)


def main():
    os.environ.setdefault("PYTHONPATH", str(HERE.parents[1] / "proxy"))
    failed = 0

    def say(name, ok, reports):
        nonlocal failed
        failed += not ok
        seen = "; ".join(f"{r['role']} {r['how']} after {r['after']:.1f}s, {len(r['numbers'])} messages" for r in reports)
        print(f"{'PASS' if ok else 'FAIL'}  {name:55} {seen}", flush=True)

    for number, link, other in (("T1", "a", 1), ("T2", "b", 0)):
        reports = scene(60, 0, (2, "dark", link))
        say(f"{number} link {link} dark while idle: the other side is told", is_told(reports[other], 2), reports)
    reports = scene(60, 0, (2, "oneway", "a"))
    say("T3 one direction dark while idle", is_told(reports[1], 2), reports)
    reports = scene(30, 20, (4, "cut", "a"), (9, "heal", "a"))
    say("T4 cable out for 5 s and back", is_whole(reports, 20), reports)
    reports = scene(40, 20, (2, "loss", "b", "20"), (25, "heal", "b"))
    say("T5 20 % loss", is_whole(reports, 20), reports)
    reports = scene(10, 0, (2, "rst", "b"))
    say("T15 connections of link b destroyed", all(r["how"] != "open" and r["after"] < 5 for r in reports), reports)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["end"]:
        end(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit(main())
