"""The few kinds of panels the dashboards are made of, each with a title, a description, a unit and its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
AnyPanel = Builder[model.Panel]


@dataclass(frozen=True, slots=True)
class Query:
    """One query. legend: how its series are named. at_once: its newest value alone."""

    expression: str
    legend: str = ""
    at_once: bool = False
    exemplars: bool = False

    def target(self, letter: str) -> prometheus.Dataquery:
        """As the panel wants it."""
        made = prometheus.Dataquery().ref_id(letter).datasource(SOURCE).expr(self.expression).legend_format(self.legend)
        if self.exemplars:
            made = made.exemplar(exemplar=True)
        return made.instant() if self.at_once else made.range()


def targets(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    """Queries with letters."""
    return [query.target(chr(ord("A") + at)) for at, query in enumerate(queries)]


def steps(*values: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours from values on; None: from below everything."""
    found = [model.Threshold(value, colour) for value, colour in values]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def words(values: Mapping[str, tuple[str, str]]) -> list[model.ValueMapping]:
    """Values shown as words in a colour."""
    shown = {
        value: model.ValueMappingResult(text=text, color=colour, index=at)
        for at, (value, (text, colour)) in enumerate(values.items())
    }
    return [model.ValueMap(options=shown)]


def number(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "short",
    colours: Builder[model.ThresholdsConfig] | None = None,
    mappings: list[model.ValueMapping] | None = None,
) -> stat.Panel:
    """One big number, the newest."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets([query]))
        .unit(unit)
        .thresholds(colours or steps((None, "text")))
        .mappings(mappings or [])
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .color_mode(kinds.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("-")
        .height(4)
        .span(4)
    )


def lines(title: str, description: str, queries: Sequence[Query], *, unit: str = "short") -> timeseries.Panel:
    """Values over time. Gaps stay gaps: unknown is not zero."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets(queries))
        .unit(unit)
        .line_width(2)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .height(9)
        .span(12)
    )


def states(
    title: str, description: str, queries: Sequence[Query], mappings: list[model.ValueMapping]
) -> statetimeline.Panel:
    """Bands of states over time."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets(queries))
        .mappings(mappings)
        .merge_values(merge_values=True)
        .show_value(kinds.VisibilityMode.AUTO)
        .fill_opacity(75)
        .line_width(0)
        .height(7)
        .span(24)
    )


def rows(title: str, description: str, queries: Sequence[Query]) -> table.Panel:
    """The newest values as a table."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets([target.format(PromQueryFormat.TABLE) for target in targets(queries)])
        .show_header(show_header=True)
        .height(8)
        .span(12)
    )
