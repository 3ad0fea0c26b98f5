"""The dashboards, written from here: ``make grafana`` (a test holds the files to it). Classic JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from panels import SOURCE, AnyPanel, Query, lines, number, rows, states, steps, words

P = "ocpp_watchdog_"
ONE = '{charge_point=~"$charge_point"}'
OVERVIEW, DETAIL = "ocpp-watchdog-overview", "ocpp-watchdog-charge-point"
REFRESH = "10s"

PHASES = {
    "unknown": "#8e8e8e",
    "stood_down": "#b877d9",
    "exhausted": "dark-red",
    "remedying": "orange",
    "violating": "red",
    "blind": "#5a5a8a",
    "settling": "light-blue",
    "suspect": "yellow",
    "obeying": "green",
}
"""Phase and colour; its place is the number the state timeline draws."""
PHASE_WORDS = words(
    {str(at): (phase.replace("_", " "), colour) for at, (phase, colour) in enumerate(PHASES.items(), 1)}
)
ON_OFF = words({"0": ("no", "green"), "1": ("yes", "red")})
WELL = words({"0": ("no", "red"), "1": ("yes", "green")})
NONE_IS_GOOD = steps((None, "green"), (1.0, "red"))


def phase_numbers(selector: str) -> str:
    """One number for each connector: the place of its phase in ``PHASES``."""
    inside = selector.removeprefix("{").removesuffix("}")
    each = [f'{at} * {P}phase{{{inside}{"," if inside else ""}phase="{phase}"}}' for at, phase in enumerate(PHASES, 1)]
    return f"sum by (charge_point, connector) ({' or '.join(each)})"


# -- the overview ------------------------------------------------------------------------------------------------


def overview() -> dashboard.Dashboard:
    """All charge points and the proxy itself."""
    board = _board("OCPP watchdog: overview", OVERVIEW, "Every charge point, and the proxy between them and evcc.")
    board = board.with_variable(_charge_points(many=True)).link(_to_detail())
    board = board.with_row(dashboard.Row("Right now"))
    for panel in _now():
        board = board.with_panel(panel)
    board = board.with_panel(
        states(
            "What the judge sees",
            "The phase of each connector (docs/metrics.md): green obeys, red goes on charging against a stop order.",
            [Query(phase_numbers(ONE), "{{charge_point}} / {{connector}}")],
            PHASE_WORDS,
        )
    )
    board = board.with_row(dashboard.Row("Orders and steps"))
    for panel in _orders():
        board = board.with_panel(panel)
    board = board.with_row(dashboard.Row("The relay"))
    for panel in _relay():
        board = board.with_panel(panel)
    board = board.with_row(dashboard.Row("The proxy itself"))
    for panel in _itself():
        board = board.with_panel(panel)
    return board


def _now() -> list[AnyPanel]:
    return [
        number(
            "Stops being ignored",
            "Connectors with an open episode: 0 A is ordered and confirmed measurements say that current flows.",
            Query(f"count({P}episode_open_since_timestamp_seconds{ONE} > 0) or vector(0)", at_once=True),
            colours=NONE_IS_GOOD,
        ),
        number(
            "Charge points connected",
            "Charge points with an open session.",
            Query(f"sum({P}connected{ONE})", at_once=True),
        ),
        number(
            "evcc reachable",
            "Whether the central system answered the last dial, or a session is open.",
            Query(f"{P}central_system_reachable", at_once=True),
            mappings=WELL,
        ),
        number(
            "Something failing",
            "1 when something of the proxy broke within five minutes; frames go on.",
            Query(f"{P}degraded", at_once=True),
            mappings=ON_OFF,
        ),
        number(
            "Against orders",
            "Energy that flowed against stop orders in the range of time that is shown.",
            Query(f"sum(increase({P}energy_against_orders_watthours_total{ONE}[$__range]))", at_once=True),
            unit="watth",
        ),
        number(
            "Stops ignored",
            "Ignored stops found out in the range of time that is shown.",
            Query(f"sum(increase({P}episodes_total{ONE}[$__range]))", at_once=True),
        ),
    ]


def _orders() -> list[AnyPanel]:
    return [
        lines(
            "Energy against orders",
            "Grows while current flows although 0 A is ordered; flat is good.",
            [Query(f"{P}energy_against_orders_watthours_total{ONE}", "{{charge_point}} / {{connector}}")],
            unit="watth",
        ),
        lines(
            "Steps",
            "What the proxy did against ignored stops, and what became of it; in mode observe what it would do.",
            [
                Query(
                    f"sum by (step, outcome) (increase({P}steps_total{ONE}[$__rate_interval])) > 0",
                    "{{step}}: {{outcome}}",
                    exemplars=True,
                ),
                Query(
                    f"sum by (charge_point) (increase({P}observed_steps_total{ONE}[$__rate_interval]))",
                    "{{charge_point}}: only observed",
                ),
            ],
        ).draw_style(kinds.GraphDrawStyle.BARS),
    ]


def _relay() -> list[AnyPanel]:
    quantile = f"sum by (le, direction) (rate({P}relay_delay_seconds_bucket[$__rate_interval]))"
    return [
        lines(
            "Delay of the relay",
            "From the arrival of bytes to their being handed on, a sample of one in 16 reads.",
            [
                Query(f"histogram_quantile(0.5, {quantile})", "{{direction}}, half"),
                Query(f"histogram_quantile(0.99, {quantile})", "{{direction}}, 99 of 100"),
            ],
            unit="s",
        ),
        lines(
            "Messages",
            "Messages a second that were relayed and judged, by action.",
            [Query(f"sum by (direction, action) (rate({P}frames_total[$__rate_interval])) > 0", "{{action}}")],
            unit="reqps",
        ),
        lines(
            "Connections",
            "Open connections on each side, and CALLs of evcc that wait while one of ours is open.",
            [Query(f"{P}connections", "{{side}}"), Query(f"{P}held_calls", "held CALLs")],
        ),
        lines(
            "Turned away",
            "Handshakes that got no session, by reason, and second connections of an id that was in use.",
            [
                Query(f"increase({P}handshake_refusals_total[$__rate_interval])", "{{reason}}"),
                Query(f"increase({P}duplicate_connections_total[$__rate_interval])", "second connection"),
            ],
        ),
        lines(
            "Our own CALLs",
            "CALLs the proxy wrote itself, and answers to them that were kept from evcc.",
            [
                Query(f"increase({P}injected_calls_total[$__rate_interval])", "written"),
                Query(f"increase({P}withheld_answers_total[$__rate_interval])", "answers kept back"),
            ],
        ),
        lines(
            "Nonsense of peers",
            "Odd messages; all of them were forwarded.",
            [
                Query(f"increase({P}peer_nonsense_total[$__rate_interval])", "{{kind}}"),
                Query(f"increase({P}decode_failures_total[$__rate_interval])", "not OCPP-J"),
            ],
        ),
    ]


def _itself() -> list[AnyPanel]:
    return [
        lines(
            "What broke",
            "Faults of the proxy by part; frames went on.",
            [Query(f"increase({P}faults_total[$__rate_interval])", "{{part}}")],
        ),
        lines(
            "Messages to people",
            "Delivered and undelivered, by way; waiting ones beside.",
            [
                Query(f"increase({P}notifications_total[$__rate_interval])", "{{way}}: {{outcome}}"),
                Query(f"{P}notifications_waiting", "{{way}}: waiting"),
            ],
        ),
        lines(
            "Journal, size",
            "Bytes on the disk: frames and facts.",
            [Query(f"{P}journal_size_bytes", "{{store}}")],
            unit="bytes",
        ),
        lines(
            "Journal, what did not go well",
            "Failed writes are tried again; what is dropped is lost for reports, never for the relay.",
            [
                Query(f"increase({P}journal_failures_total[$__rate_interval])", "{{store}}: failed"),
                Query(f"increase({P}journal_dropped_total[$__rate_interval])", "{{store}}: dropped"),
            ],
        ),
        rows(
            "What runs",
            "Version of the proxy and of Python.",
            [Query(f"{P}build_info", "{{version}}", at_once=True)],
        ),
        rows(
            "Charge points",
            "What they say they are (BootNotification).",
            [Query(f"{P}charge_point_info{ONE}", "{{charge_point}}", at_once=True)],
        ),
    ]


# -- one charge point --------------------------------------------------------------------------------------------


def detail() -> dashboard.Dashboard:
    """One charge point: commanded against measured."""
    board = _board("OCPP watchdog: charge point", DETAIL, "Ordered against measured, for one charge point.")
    board = board.with_variable(_charge_points(many=False)).with_variable(_proxy()).link(_to_episodes())
    board = board.with_panel(_against())
    for panel in _beside():
        board = board.with_panel(panel)
    return board


def _against() -> AnyPanel:
    panel = lines(
        "Ordered against measured",
        "The order of evcc as steps over the current of each phase. Red: a stop is being ignored.",
        [
            Query(f"{P}commanded_limit_amperes{ONE}", "ordered ({{connector}})"),
            Query(f"{P}limit_in_force_amperes{ONE}", "in force ({{connector}})"),
            Query(f"{P}measured_current_amperes{ONE}", "{{phase}} ({{connector}})"),
            Query(f"({P}episode_open_since_timestamp_seconds{ONE} > bool 0) * 32", "ignored ({{connector}})"),
        ],
        unit="amp",
    )
    step = model.DynamicConfigValue("custom.lineInterpolation", "stepAfter")
    return (
        panel.override_by_regexp(
            "/^ordered/",
            [step, model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "blue"})],
        )
        .override_by_regexp(
            "/^in force/",
            [
                step,
                model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "light-blue"}),
                model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]}),
            ],
        )
        .override_by_regexp(
            "/^ignored/",
            [
                step,
                model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "red"}),
                model.DynamicConfigValue("custom.lineWidth", 0),
                model.DynamicConfigValue("custom.fillOpacity", 18),
                model.DynamicConfigValue("custom.hideFrom", {"legend": False, "tooltip": True, "viz": False}),
            ],
        )
        .min(0)
        .height(12)
        .span(24)
    )


def _beside() -> list[AnyPanel]:
    return [
        states(
            "Phase",
            "What the judge sees, connector by connector.",
            [Query(phase_numbers(ONE), "connector {{connector}}")],
            PHASE_WORDS,
        ),
        states(
            "Findings",
            "What the judge holds beside the phase (docs/metrics.md).",
            [Query(f"max by (finding) ({P}finding{ONE})", "{{finding}}")],
            words({"0": ("no", "transparent"), "1": ("yes", "orange")}),
        ),
        lines(
            "Power",
            "Power of the last meter values, and an order in watts where there is one.",
            [
                Query(f"{P}measured_power_watts{ONE}", "measured ({{connector}})"),
                Query(f"{P}commanded_limit_watts{ONE}", "ordered ({{connector}})"),
            ],
            unit="watt",
        ),
        lines(
            "Energy against orders",
            "Grows while current flows although 0 A is ordered.",
            [Query(f"{P}energy_against_orders_watthours_total{ONE}", "connector {{connector}}")],
            unit="watth",
        ),
        lines(
            "Steps",
            "What was sent against ignored stops, and what became of it.",
            [Query(f"increase({P}steps_total{ONE}[$__rate_interval]) > 0", "{{step}}: {{outcome}}", exemplars=True)],
        ).draw_style(kinds.GraphDrawStyle.BARS),
        lines(
            "Age of the meter",
            "Seconds since the last meter values and since the last message of any kind.",
            [
                Query(f"time() - {P}last_meter_values_timestamp_seconds{ONE}", "meter values ({{connector}})"),
                Query(f"time() - {P}last_message_timestamp_seconds{ONE}", "any message"),
            ],
            unit="s",
        ),
        states(
            "Connection and transaction",
            "Whether it is connected, and whether a transaction runs.",
            [
                Query(f"{P}connected{ONE}", "connected"),
                Query(f"{P}transaction_open{ONE}", "transaction ({{connector}})"),
                Query(f"{P}enforcing{ONE}", "acts on ignored stops"),
            ],
            words({"0": ("no", "#8e8e8e"), "1": ("yes", "green")}),
        ),
        lines(
            "Clock of the charge point",
            "Seconds its clock is ahead of ours. The judge copes with any constant error, evcc does not always.",
            [Query(f"{P}clock_skew_seconds{ONE}", "ahead")],
            unit="s",
        ),
        lines(
            "Sessions",
            "New sessions of this charge point: a connection that breaks again and again shows here.",
            [Query(f"increase({P}sessions_total{ONE}[$__rate_interval])", "new sessions")],
        ).draw_style(kinds.GraphDrawStyle.BARS),
    ]


# -- what both have ----------------------------------------------------------------------------------------------


def _board(title: str, uid: str, description: str) -> dashboard.Dashboard:
    source = (
        dashboard.DatasourceVariable("datasource")
        .label("Prometheus")
        .type("prometheus")
        .description("The Prometheus that scrapes the proxy.")
    )
    ignored = (
        dashboard.AnnotationQuery()
        .name("Stop ignored")
        .datasource(SOURCE)
        .enable(enable=True)
        .icon_color("red")
        .expr(f"increase({P}episodes_total{ONE}[1m]) > 0")
    )
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["ocpp", "evcc", "ocpp-watchdog"])
        .editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .refresh(REFRESH)
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(source)
        .annotation(ignored)
    )


def _charge_points(*, many: bool) -> dashboard.QueryVariable:
    chosen = (
        dashboard.QueryVariable("charge_point")
        .label("Charge point")
        .description("Charge points that have connected.")
        .datasource(SOURCE)
        .query({"query": f"label_values({P}connected, charge_point)", "refId": "charge_point"})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    return chosen.multi(multi=True).include_all(include_all=True).all_value(".*") if many else chosen


def _proxy() -> dashboard.TextBoxVariable:
    return (
        dashboard.TextBoxVariable("proxy")
        .label("Address of the proxy")
        .description("Where its pages are, for the link to the records of ignored stops.")
        .default_value("http://127.0.0.1:8891")
    )


def _to_detail() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Charge point")
        .type(model.DashboardLinkType.LINK)
        .icon("dashboard")
        .url(f"/d/{DETAIL}")
        .keep_time(keep_time=True)
        .include_vars(include_vars=True)
    )


def _to_episodes() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Record of ignored stops")
        .type(model.DashboardLinkType.LINK)
        .icon("doc")
        .tooltip("Every order, reading and step, as the proxy keeps them")
        .url("${proxy}/api/v1/episodes?charge_point=${charge_point}")
        .target_blank(target_blank=True)
    )


def text(board: dashboard.Dashboard) -> str:
    """The dashboard's JSON, the same every time."""
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


FILES = {"overview.json": overview, "charge-point.json": detail}


if __name__ == "__main__":
    for name, make in FILES.items():
        (Path(sys.argv[1]) / name).write_text(text(make()), "utf-8")
