"""Conformance of the running program: relaycheck and the compliance test tool's cases, into ``docs/conformance.md``.

    python tests/conformance/run.py [--fast-python PYTHON] [--into docs/conformance.md] [--quick] [--only CASES]

Every run is a process ``ocpp-watchdog run`` with the judge on, started from a settings file of its own, in a network
namespace of its own (where that is not allowed: on the machine's loopback, and that is written down). Exit 1 when
something failed. About eight minutes with everything; ``--quick`` leaves out TLS and most of the silence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOST = "127.0.0.1"
INSIDE = "CONFORMANCE_NAMESPACE"
CHECKER = "over-tls"
CHECK_SECONDS = 400.0
RECORD_BYTES = 16384
PARTS = ("ocpp-watchdog", "aiohttp", "h11", "uvloop", "msgspec")
GROUPS = {
    "H": "handshake",
    "F": "data",
    "C": "control frames",
    "E": "protocol errors",
    "X": "closing",
    "S": "sessions",
    "B": "back-pressure",
    "D": "deflate",
}


# -- relaycheck over TLS: its module is given other sockets --------------------------------------------------------


class TlsSocket:
    """What relaycheck uses of a socket, over TLS. One thread may read while another writes.

    A closed socket ends without close_notify, as a crash does; a half-close sends close_notify and then FIN.
    """

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, *, is_server: bool) -> None:
        self.raw = raw
        self._in, self._out, self._unsent = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        name = None if is_server else HOST
        self._tls = context.wrap_bio(self._in, self._out, server_side=is_server, server_hostname=name)
        self._state, self._writing, self._joining = threading.Lock(), threading.Lock(), threading.Lock()
        self._is_joined = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    def recv(self, size: int) -> bytes:
        """The next bytes; empty at the end, whether it came with close_notify or not."""
        self._join()
        while True:
            try:
                with self._state:
                    return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def sendall(self, data: bytes) -> None:
        """Everything, or an error."""
        self._join()
        with self._writing:
            self._encrypt(data)
            self._flush()

    def send(self, data: bytes) -> int:
        """As much as goes without waiting. Raises BlockingIOError when nothing does."""
        self._join()
        with self._writing:
            while self._unsent:
                self._unsent = self._unsent[self.raw.send(self._unsent) :]
            piece = bytes(data[:RECORD_BYTES])
            self._encrypt(piece)
            with suppress(BlockingIOError):  # taken all the same: it goes out first next time
                self._unsent = self._unsent[self.raw.send(self._unsent) :]
            return len(piece)

    def shutdown(self, how: int) -> None:
        """Half-close."""
        with self._writing:
            try:
                with self._state:
                    self._tls.unwrap()
            except ssl.SSLWantReadError:
                pass  # ours is written, theirs is not awaited
            self._encrypt(b"")
            self._flush()
        self.raw.shutdown(how)

    def _join(self) -> None:
        with self._joining:
            while not self._is_joined:
                try:
                    self._tls.do_handshake()
                    self._is_joined = True
                except ssl.SSLWantReadError:
                    pass
                with self._writing:
                    self._encrypt(b"")
                    self._flush()
                if not self._is_joined:
                    self._fill()

    def _encrypt(self, data: bytes) -> None:
        with self._state:
            if data:
                self._tls.write(data)
            self._unsent += self._out.read()

    def _flush(self) -> None:
        self.raw.sendall(self._unsent)
        self._unsent = b""

    def _fill(self) -> None:
        data = self.raw.recv(65536)
        with self._state:
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()


class TlsListener:
    """A listening socket whose connections are TLS; the handshake waits until the first byte is read or written."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.raw = socket.socket()
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    def accept(self) -> tuple[TlsSocket, Any]:
        raw, address = self.raw.accept()
        return TlsSocket(raw, self._context, is_server=True), address


class TlsSockets:
    """The module ``socket`` as relaycheck sees it."""

    def __init__(self, certificate: str) -> None:
        self._server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server.load_cert_chain(certificate)
        self._client = ssl.create_default_context(cafile=certificate)

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def socket(self) -> TlsListener:
        return TlsListener(self._server)

    def create_connection(self, address: tuple[str, int], timeout: float) -> TlsSocket:
        return TlsSocket(socket.create_connection(address, timeout=timeout), self._client, is_server=False)


def check_over_tls(certificate: str, arguments: Sequence[str]) -> None:
    """relaycheck itself, with both legs in TLS. Leaves with its exit code."""
    import relaycheck

    relaycheck.socket = TlsSockets(certificate)
    sys.argv = ["relaycheck.py", *arguments]
    relaycheck.main()


# -- runs ----------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """One run of relaycheck. cases: as relaycheck writes them; wrong: what the program showed of itself."""

    label: str
    python: str
    is_fast: bool
    is_tls: bool
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    loop: str = ""

    def count(self, verdict: str, group: str = "") -> int:
        return sum(case["verdict"] == verdict and name.startswith(group) for name, case in self.cases.items())


def certificate(folder: Path) -> Path | None:
    """A self-signed certificate with its key, in one file; None without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    order = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem -addext"
    command = [openssl, *order.split(), f"subjectAltName=DNS:localhost,IP:{HOST}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def check(run: Run, folder: Path, pem: Path | None, only: str) -> None:
    """relaycheck against a fresh process of the program."""
    import octt

    central, result = f"{HOST}:{free_port()}", folder / "result.json"
    settings: dict[str, Any] = {
        "listen": f"{HOST}:0",
        "central_system": f"{'wss' if run.is_tls else 'ws'}://{central}",
        "mode": "enforce",
        "connect_timeout": 4.0,
        "admin": {"listen": f"{HOST}:0"},
    }
    if run.is_tls:
        settings |= {"tls": {"certificate": str(pem), "key": str(pem)}, "central_system_tls": {"ca": str(pem)}}
    async with octt.program(folder, settings, python=run.python, fast=run.is_fast) as running:
        script = [str(HERE / "relaycheck.py")] if not run.is_tls else [__file__, CHECKER, str(pem)]
        options = ["--front", running.front, "--listen", central, "--pid", str(running.process.pid)]
        options += ["--json", str(result), "--label", run.label, "-q"] + (["--only", only] if only else [])
        checker = await asyncio.create_subprocess_exec(sys.executable, *script, *options)
        try:
            await asyncio.wait_for(checker.wait(), CHECK_SECONDS)
        except TimeoutError:
            checker.kill()
            await checker.wait()
            run.wrong.append(f"relaycheck had not ended after {CHECK_SECONDS:.0f} s")
        run.loop = running.loop()
    if result.exists():
        run.cases = {case["id"]: case for case in json.loads(result.read_text("utf-8"))["cases"]}
    elif not run.wrong:
        run.wrong.append("relaycheck wrote no result")
    if running.process.returncode != 0:
        run.wrong.append(f"the program left with {running.process.returncode}")
    run.wrong += running.complaints()


def wanted(options: argparse.Namespace, pem: Path | None) -> tuple[list[Run], list[str]]:
    """The runs, and why others are not among them."""
    plain = [Run("asyncio", sys.executable, is_fast=False, is_tls=False)]
    notes = []
    if options.fast_python:
        plain.append(Run("uvloop", options.fast_python, is_fast=True, is_tls=False))
    else:
        notes.append("Not run with uvloop and msgspec: no interpreter with the extra `fast` was given.")
    if options.quick:
        return plain, [*notes, "Not run over TLS: a quick run."]
    if pem is None:
        return plain, [*notes, "Not run over TLS: there is no openssl to make a certificate."]
    return plain + [Run(f"{run.label}, TLS", run.python, run.is_fast, is_tls=True) for run in plain], notes


async def everything(options: argparse.Namespace) -> int:
    """All runs, one after the other; exit code."""
    import octt

    notes = []
    if not os.environ.get(INSIDE):
        notes.append("Not in a network namespace of its own: on the loopback of the machine, beside other programs.")
    with tempfile.TemporaryDirectory(prefix="conformance-") as top:
        pem = certificate(Path(top))
        runs, missing = wanted(options, pem)
        for at, run in enumerate(runs):
            (folder := Path(top, str(at))).mkdir()
            await check(run, folder, pem, options.only)
        silence, outcomes = 2.0 if options.quick else options.silence, []
        for run in (each for each in runs if not each.is_tls):
            (folder := Path(top, f"octt-{run.label}")).mkdir()
            began = time.monotonic()
            outcome = await octt.perform(folder, silence=silence, python=run.python, fast=run.is_fast)
            outcomes.append(outcome)
            failed = len(outcome.failures)
            took = f"{time.monotonic() - began:.0f} s"
            print(f"== {run.label}: {len(outcome.played)} plays, {failed} failed, {took}", *outcome.wrong, sep="\n   ")
    for run in runs:
        print("".join(f"   {run.label}: {line}\n" for line in run.wrong), end="")
    if options.into:
        sections = {
            "machine": machine(runs, notes + missing),
            "summary": summary(runs),
            "cases": case_table(runs),
            "notes": remarks(runs),
            "octt": octt_table(outcomes),
        }
        fill(Path(options.into), sections)
    is_good = not any(run.wrong or run.count("FAIL") or not run.cases for run in runs)
    return 0 if is_good and not any(outcome.failures or outcome.wrong for outcome in outcomes) else 1


# -- the page ------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def versions(python: str) -> str:
    """What an interpreter has of what the program is made of."""
    script = (
        "import importlib.metadata as m, platform, ssl\n"
        "def v(n):\n try: return m.version(n)\n except m.PackageNotFoundError: return 'none'\n"
        f"print('CPython ' + platform.python_version(), *(n + ' ' + v(n) for n in {PARTS!r}),"
        " ssl.OPENSSL_VERSION, sep=', ')"
    )
    return subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    """The program's commit, with ``+`` when the program has changes that are not in it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False).stdout

    return (git("rev-parse", "--short", "HEAD").strip() or "unknown") + "+" * bool(git("diff", "HEAD", "--", "proxy"))


def machine(runs: Sequence[Run], notes: Sequence[str]) -> str:
    lines = [f"Date: {datetime.now(UTC):%Y-%m-%d}, program at commit {commit()} (`+`: with changes not committed)."]
    lines.append(f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}.")
    for python in dict.fromkeys(run.python for run in runs):
        labels = ", ".join(f"{run.label} (loop: {run.loop})" for run in runs if run.python == python)
        lines.append(f"{labels}: {versions(python)}.")
    if not all(run.is_fast for run in runs):
        lines.append("From the processes of the asyncio runs uvloop and msgspec are hidden, installed or not.")
    return "\n".join(f"- {line}" for line in [*lines, *notes])


def summary(runs: Sequence[Run]) -> str:
    def cell(run: Run, group: str) -> str:
        good, info, bad = (run.count(verdict, group) for verdict in ("PASS", "INFO", "FAIL"))
        return f"{good} PASS" + f", {info} INFO" * bool(info) + f", **{bad} FAIL**" * bool(bad)

    rows = [[f"{group} {name}", *(cell(run, group) for run in runs)] for group, name in GROUPS.items()]
    rows.append([f"all {max(len(run.cases) for run in runs)}", *(cell(run, "") for run in runs)])
    said = [f"- **{run.label}: {line}**" for run in runs for line in run.wrong]
    return "\n".join([table(["group", *(run.label for run in runs)], rows), "", *said]).strip()


def case_table(runs: Sequence[Run]) -> str:
    rows = []
    for name, case in next((run.cases for run in runs if run.cases), {}).items():
        verdicts = [run.cases[name]["verdict"] if name in run.cases else "not run" for run in runs]
        rows.append([name, case["title"], *(f"**{word}**" if word == "FAIL" else word for word in verdicts)])
    return table(["case", "", *(run.label for run in runs)], rows)


def remarks(runs: Sequence[Run]) -> str:
    """What relaycheck said to a FAIL or INFO, and how the frames of group E went."""
    lines = []
    for run in runs:
        ways = Counter(re.split("[ :]", case["note"])[0] for name, case in run.cases.items() if name[0] == "E")
        told = ", ".join(f"{word} {count}" for word, count in sorted(ways.items()) if word in ("forwarded", "blocked"))
        lines.append(f"- {run.label}, frames that break the protocol: {told or 'none'}.")
        odd = ((name, case) for name, case in run.cases.items() if case["verdict"] != "PASS")
        lines += [f"- {run.label}, {name} {case['verdict']}: {case['note']}" for name, case in odd]
    return "\n".join(lines)


def octt_table(outcomes: Sequence[Any]) -> str:
    lines = []
    for outcome in outcomes:
        messages, failures = outcome.tally.messages, outcome.failures
        cases = {play.case for play in outcome.played}
        failed = {play.case for play in outcome.played if play.charge_point in failures}
        lines.append(
            f"- {outcome.loop}: {len(cases) - len(failed)} of {len(cases)} cases, with their variants "
            f"{len(outcome.played) - len(failures)} of {len(outcome.played)} plays, "
            f"{outcome.silence:g} s of silence behind each; "
            f"{messages['to_central_system']} messages to the central system and {messages['to_charge_point']} to the "
            f"charge points on {outcome.tally.connections} connections; the slowest end after a cut took "
            f"{outcome.tally.slowest_end * 1000:.0f} ms."
        )
        lines += [f"- **{outcome.loop}, {name}: {error}**" for name, error in failures.items()]
        lines += [f"- **{outcome.loop}: {line}**" for line in outcome.wrong]
    rows: list[list[object]] = []
    for play in outcomes[0].played if outcomes else ():
        verdicts = ("**FAIL**" if play.charge_point in outcome.failures else "PASS" for outcome in outcomes)
        rows.append([play.charge_point, play.title, 2 * len(play.steps), *verdicts])
    head = ["play", "", "messages", *(outcome.loop for outcome in outcomes)]
    return "\n".join([*lines, "", table(head, rows)])


def fill(page: Path, sections: dict[str, str]) -> None:
    """Put the sections between their marks; what stands outside them is written by hand."""
    text = page.read_text("utf-8")
    for name, said in sections.items():
        begin, end = f"<!-- conformance:{name} -->", f"<!-- conformance:{name} end -->"
        before, _, rest = text.partition(begin)
        _, mark, after = rest.partition(end)
        if not mark:
            raise SystemExit(f"{page} has no marks {begin} {end}")
        text = f"{before}{begin}\n{said}\n{end}{after}"
    page.write_text(text, "utf-8")


# -- the command ---------------------------------------------------------------------------------------------------


def into_a_namespace() -> None:
    """Begin again in a network namespace of our own, where that is allowed."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    if unshare is None or ip is None:
        return
    way = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--net", "--map-root-user"]
    up = [*way, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*up, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execv(up[0], [*up, sys.executable, __file__, *sys.argv[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast-python", default="", help="an interpreter with the program and its extra fast")
    parser.add_argument("--into", default="", help="the page to write the results into")
    parser.add_argument("--quick", action="store_true", help="without TLS, 2 s of silence")
    parser.add_argument("--silence", type=float, default=60.0, help="seconds of silence behind each play")
    parser.add_argument("--only", default="", help="a part of relaycheck's cases: ids or their beginnings")
    options = parser.parse_args()
    if options.fast_python:
        options.fast_python = os.path.abspath(options.fast_python)  # a link stays a link: it names the environment
    if not os.environ.get(INSIDE):
        into_a_namespace()
    sys.path.insert(0, str(HERE))
    sys.exit(asyncio.run(everything(options)))


if __name__ == "__main__":
    if sys.argv[1:2] == [CHECKER]:
        check_over_tls(sys.argv[2], sys.argv[3:])
    main()
