"""Everything Prometheus can see, made at the moment of the scrape from snapshots of the stations and plain counters.

``table`` names every series there is; one more is one more entry there. What the rest of the shell has to add (the
journal's lag, say) it tells as plain numbers, ``Told``, joined in ``app.py``.
"""

from __future__ import annotations

from ocpp_watchdog.shell.metrics.collector import Metrics, Snapshot
from ocpp_watchdog.shell.metrics.look import RelayNumbers, Told

__all__ = ("Metrics", "RelayNumbers", "Snapshot", "Told")
