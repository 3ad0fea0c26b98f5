"""What `make test` leaves to `make faults`: faults that are made for real take minutes and want root."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("FAULTS") else ["faults"]
