"""What this machine is to others: its address, whether a port of it is free, whether its clock is set."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
from pathlib import Path

LEAST_BYTES = 10 * 1024 * 1024
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
OLDEST_SANE_UTC = 1_735_689_600.0
"""2025-01-01: an earlier time is that of a clock that was never set."""
SOMEWHERE = ("192.0.2.1", 9)
"""An address that belongs to nobody (RFC 5737): asked for the way to it, the kernel says which address is ours."""


def address() -> str:
    """The address under which others reach this machine, or its name where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(SOMEWHERE)  # of a datagram socket: nothing is sent
            return str(asking.getsockname()[0])
        except OSError:
            return socket.gethostname()


def why_not_free(host: str, port: int) -> int | None:
    """The errno of listening there, None when it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return None
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL


def why_not_writable(folder: Path) -> int | None:
    """The errno that keeping files there would meet, None when it can be done; what is missing would be made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        return errno.ENOTDIR
    if not os.access(there, os.W_OK | os.X_OK):
        return errno.EROFS if os.statvfs(there).f_flag & os.ST_RDONLY else errno.EACCES
    return errno.ENOSPC if shutil.disk_usage(there).free < LEAST_BYTES else None


def is_clock_set(now_utc: float) -> bool | None:
    """Whether the clock follows a time server; False also for a time that cannot be, None: nobody here knows.

    now_utc: what the clock says.
    """
    if now_utc < OLDEST_SANE_UTC:
        return False
    if SYNCHRONISED.exists():
        return True
    asked = shutil.which("timedatectl")
    if asked is None:
        return None
    command = [asked, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())
