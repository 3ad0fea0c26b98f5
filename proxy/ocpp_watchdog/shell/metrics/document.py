"""docs/metrics.md, written from the table: ``make docs/metrics.md`` (a test holds the file to it)."""

from __future__ import annotations

import sys
from pathlib import Path

from ocpp_watchdog.core.decisions import FindingKind, Phase, StepKind
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.metrics.rows import ANY_LINE, LINES, STEP_OUTCOMES
from ocpp_watchdog.shell.metrics.series import DelaySeries, Series
from ocpp_watchdog.shell.metrics.table import OF_CHARGE_POINTS, OF_CONNECTORS, OF_OURSELVES, OF_TRAFFIC
from ocpp_watchdog.shell.tally import PARTS

HEAD = """# Metrics

On `/metrics` of the administration address (`admin.listen`, <http://127.0.0.1:8891/metrics>), for Prometheus:
OpenMetrics with exemplars where it asks for that, the plain format otherwise. `make docs` writes this page from the
code.

- Unknown is `NaN`, never 0: a commanded limit of 0 is a stop order.
- All series of a charge point exist from its connection on: counters at 0, gauges at `NaN` until known. What never
  connected is no label, and nothing that a message says is one, except what the charge point says it is.
- Moments are timestamps: `time() - ocpp_watchdog_last_meter_values_timestamp_seconds` is the age.
- Exemplars, while an episode is open: `ocpp_watchdog_episodes_total` carries the message id of the deciding meter
  values, `ocpp_watchdog_steps_total` that of the newest step. The frames are found by it.
- A charge point with one or two connectors has at most 100 series; each further connector adds those of the second
  table.
"""


def document() -> str:
    """The whole page."""
    parts = [
        HEAD,
        _section("Of each charge point", OF_CHARGE_POINTS),
        _section("Of each connector", OF_CONNECTORS),
        _section("Of the traffic", OF_TRAFFIC),
        _section("Of the proxy itself", OF_OURSELVES),
        _values(),
    ]
    return "\n".join(parts)


def _section(title: str, table: tuple[Series | DelaySeries, ...]) -> str:
    rows = [
        f"| `{series.full_name}` | {series.kind} | {', '.join(series.labels)} | {series.says} |" for series in table
    ]
    return "\n".join([f"## {title}\n", "| name | type | labels | says |", "|---|---|---|---|", *rows, ""])


def _values() -> str:
    rows = {
        "`phase` of `ocpp_watchdog_phase`": Phase,
        "`phase` of `ocpp_watchdog_measured_current_amperes`": (*LINES, ANY_LINE),
        "`finding`": FindingKind,
        "`step`": StepKind,
        "`outcome` of `ocpp_watchdog_steps_total`": STEP_OUTCOMES,
        "`direction`": Direction,
        "`part`": PARTS,
        "`store`": ("frames", "facts"),
    }
    lines = [f"| {name} | {', '.join(f'`{value}`' for value in values)} |" for name, values in rows.items()]
    return "\n".join(["## Values of labels\n", "| label | values |", "|---|---|", *lines, ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
