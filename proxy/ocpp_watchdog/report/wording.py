"""From the model to sentences: what all renderers and the terminal say alike, in one language and one time zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from ocpp_watchdog.core.decisions import FindingKind, StepKind, StepOutcome
from ocpp_watchdog.report.model import Caveat, Command, Connector, Order, Outcome, Point, Report, Station, Step, Why
from ocpp_watchdog.texts.catalogue import EVIDENCE, FINDINGS, STEP_NAMES, STEPS, Language
from ocpp_watchdog.texts.reports import CAVEATS, ENDINGS, OUTCOMES, REPORT, WHYS
from ocpp_watchdog.texts.wording import energy, number

NO_CURRENT_AMPERES = 1.0
NO_POWER_WATTS = 200.0
SHOWN_POINTS = 12
TOLD_ELSEWHERE = frozenset({"control_frozen", "over_limit", "phase_violation", "raise_not_followed", "under_delivery"})


class Speaker:
    """Says everything in one language, with the times of one zone."""

    def __init__(self, report: Report, language: Language) -> None:
        self.language = language
        self._zone = timezone(timedelta(seconds=report.zone_seconds))
        self._whole_seconds = any(caveat is Caveat.WHOLE_SECONDS for caveat, _ in report.caveats)

    def say(self, key: str, **values: str) -> str:
        """A sentence of the report."""
        return REPORT[key](self.language, **values)

    # -- numbers and times -----------------------------------------------------------------------------------------

    @property
    def zone_name(self) -> str:
        """How the times shown are called."""
        offset = self._zone.utcoffset(None)
        return "UTC" if not offset else self._zone.tzname(None)

    def date_time(self, utc: float) -> str:
        """Date and time."""
        return self._at(utc).strftime("%Y-%m-%d %H:%M:%S")

    def clock(self, utc: float) -> str:
        """Time of day."""
        return self._at(utc).strftime("%H:%M:%S")

    def _at(self, utc: float) -> datetime:
        moment = datetime.fromtimestamp(round(utc, 3), UTC) if self._is_a_year(utc) else datetime.fromtimestamp(0, UTC)
        return moment.astimezone(self._zone)

    @staticmethod
    def _is_a_year(utc: float) -> bool:
        return -60_000_000_000.0 < utc < 250_000_000_000.0

    def duration(self, seconds: float) -> str:
        """A length of time, as precise as it is known."""
        if seconds < 10.0 and not self._whole_seconds:
            return f"{number(seconds, 1 if seconds >= 1.0 else 2, self.language)} s"
        if seconds < 120.0:
            return f"{seconds:.0f} s"
        if seconds < 7_200.0:
            return f"{seconds / 60.0:.0f} min"
        return f"{number(seconds / 3_600.0, 1, self.language)} h"

    def soon(self, seconds: float) -> str:
        """A length of time in seconds where minutes would hide too much."""
        return f"{max(0.0, seconds):.0f} s" if seconds < 600.0 else self.duration(seconds)

    def delay(self, seconds: float | None) -> str:
        """How long an answer took."""
        if seconds is not None and self._whole_seconds and seconds < 1.0:
            return self.say("within_second")
        return "" if seconds is None else self.duration(seconds)

    def measured(self, point: Point) -> str:
        """Currents and power of a reading."""
        phases = [value for value in point.currents if value is not None]
        parts = [" / ".join(number(value, 2, self.language) for value in phases) + " A"] if phases else []
        if not phases and point.current is not None:
            parts.append(f"{number(point.current, 2, self.language)} A")
        if point.power is not None:
            parts.append(f"{number(point.power, 0, self.language)} W")
        if not parts and point.energy is not None:
            parts.append(f"{number(point.energy, 0, self.language)} Wh")
        return ", ".join(parts) or "-"

    # -- orders ----------------------------------------------------------------------------------------------------

    def outcome(self, outcome: Outcome) -> str:
        """The word for an outcome."""
        return OUTCOMES[outcome](self.language)

    def label(self, order: Order) -> str:
        """What was ordered, in short."""
        if order.label:
            return order.label
        if order.amperes is not None:
            return f"{order.amperes:g} A"
        return "-" if order.watts is None else f"{order.watts:g} W"

    def answer(self, answer: str, delay: float | None) -> str:
        """An answer and how long it took."""
        if not answer:
            return self.say("no_answer")
        return self.say("answer_after", answer=answer, delay=self.delay(delay)) if delay is not None else answer

    def why(self, order: Order) -> str:
        """Why nothing more can be said; empty where there is no need."""
        if order.why is Why.NONE:
            return ""
        return WHYS[order.why](
            self.language,
            **_only(WHYS[order.why].en, observed=self.duration(order.observed), status=order.status or "-",
                    answer=order.answer or "-"),
        )  # fmt: skip

    def evidence(self, order: Order) -> str:
        """What the verdict rests on, in one or two sentences."""
        if order.episode is not None:
            return self._evidence_of_episode(order)
        last = order.points[-1] if order.points else None
        if order.outcome is Outcome.VIOLATED:
            found = {finding.kind: finding for finding in order.findings}
            if "over_limit" in found:
                highest = max(order.points, key=lambda point: point.highest or 0.0, default=None)
                return self.say(
                    "over_limit",
                    measured="-" if highest is None else self.measured(highest),
                    after=self.duration(found["over_limit"].after),
                )
            return self.say("phase_violation")
        if order.outcome is Outcome.NOT_FOLLOWED and last is not None:
            return self._evidence_of_raise(order, last)
        if order.outcome is Outcome.OBEYED and last is not None:
            return self.say("obeyed_evidence", count=str(order.readings), measured=self.measured(last))
        return _sentence(self.why(order))

    def _evidence_of_raise(self, order: Order, last: Point) -> str:
        """The reading with which the time for following was over."""
        found = [f.after for f in order.findings if f.kind in ("raise_not_followed", "under_delivery")]
        after = min(found, default=last.after)
        shown = min(order.points, key=lambda point: abs(point.after - after), default=last)
        return self.say(
            "not_followed_evidence", after=self.duration(after), measured=self.measured(shown), why=self.why(order)
        )

    def deadline(self, order: Order) -> str:
        """Until when a stop must have shown."""
        if not order.is_stop or order.deadline is None:
            return ""
        return self.say("deadline", until=self.clock(order.began + order.deadline))

    def against_orders(self, connector: Connector) -> str:
        """What flowed against orders on a connector, in all."""
        is_computed = any(o.episode is not None and o.episode.energy_is_integrated for o in connector.orders)
        how = self.say("integrated") if is_computed else ""
        return self.say("energy", energy=energy(connector.energy_wh, self.language), how=how) + "."

    def _evidence_of_episode(self, order: Order) -> str:
        episode = order.episode
        if episode is None:
            return ""
        evidence = EVIDENCE[episode.evidence](self.language) if episode.evidence else ""
        text = self.say(
            "stop_ignored" if order.outcome is Outcome.VIOLATED else "stop_doubtful",
            after=self.duration(episode.opened_after),
            evidence=evidence,
            ending=_capital(ENDINGS[episode.ending](self.language)),
        )
        more = _sentence(self.why(order)) if order.why is Why.PERHAPS_A_MISTAKE else ""
        return f"{text} {more}".strip()

    def remarks(self, order: Order) -> list[str]:
        """What else is worth saying of an order."""
        found = []
        if any(finding.kind == "control_frozen" for finding in order.findings):
            found.append(self.say("control_frozen"))
        for finding in order.findings:
            if finding.kind not in TOLD_ELSEWHERE:
                name = FINDINGS[FindingKind(finding.kind)](self.language)
                found.append(self.say("finding", finding=name, after=self.duration(finding.after)))
        episode = order.episode
        if episode is not None:
            how = self.say("integrated") if episode.energy_is_integrated else ""
            found.append(self.say("energy", energy=energy(episode.energy_wh, self.language), how=how) + ".")
            found += [self.step(step) for step in episode.steps]
        belief = self.wrong_belief(order)
        if belief:
            found.append(belief)
        if order.by_schedule:
            found.append(_sentence(_capital(self.say("by_schedule"))))
        return found

    def step(self, step: Step) -> str:
        """One try of a step."""
        transaction = "-" if step.transaction_id is None else str(step.transaction_id)
        name = STEP_NAMES[StepKind(step.kind)](self.language, transaction=transaction)
        text = STEPS[StepOutcome(step.outcome)](self.language, name=name, why=step.why or "-")
        return _sentence(_capital(self.say("step", after=self.duration(step.after), step=text)))

    def wrong_belief(self, order: Order) -> str:
        """Where evcc's own log showed no power although current flowed."""
        for after, watts in order.believed:
            if watts > NO_POWER_WATTS:
                continue
            near = min(order.points, key=lambda point: abs(point.after - after), default=None)
            if near is None or (near.highest or 0.0) <= NO_CURRENT_AMPERES or near.after < 0.0:
                continue
            return self.say(
                "believed", after=self.duration(after), watts=number(watts, 0, self.language),
                measured=self.measured(near),
            )  # fmt: skip
        return ""

    def readings(self, order: Order) -> list[str]:
        """Readings after an order, the first and the last."""
        shown = order.points[:SHOWN_POINTS]
        if len(order.points) > SHOWN_POINTS:
            shown = (*order.points[: SHOWN_POINTS // 2], *order.points[-SHOWN_POINTS // 2 :])
        lines = [f"+{self.soon(point.after)}: {self.measured(point)}" for point in shown]
        missing = order.readings - len(shown)
        if missing > 0:
            lines.insert(min(SHOWN_POINTS // 2, len(lines)), self.say("readings_more", count=str(missing)))
        return lines

    # -- the rest --------------------------------------------------------------------------------------------------

    def command(self, command: Command) -> str:
        """What a command is, in short."""
        parts = [command.action, command.label, f"({command.details})" if command.details else ""]
        if command.ours:
            parts.append(f"[{self.say('ours')}]")
        return " ".join(part for part in parts if part)

    def caveats(self, caveats: Iterable[tuple[Caveat, float]]) -> list[str]:
        """Limits, one sentence each."""
        return [
            CAVEATS[caveat](self.language, **_only(CAVEATS[caveat].en, count=f"{count:.0f}"))
            for caveat, count in caveats
        ]

    def name(self, station: Station) -> str:
        """The charge point's id."""
        return station.charge_point or self.say("unnamed")

    def device(self, station: Station) -> str:
        """Vendor, model and firmware."""
        parts = [part for part in (station.vendor, station.model, station.firmware) if part]
        return self.say("device", device=" ".join(parts)) if parts else self.say("device_unknown")

    def result(self, report: Report) -> str:
        """The whole in one sentence."""
        total = sum(report.total(outcome) for outcome in Outcome)
        violated = report.total(Outcome.VIOLATED)
        if violated:
            return self.say("result_violated", count=str(violated), total=str(total))
        if not total:
            return self.say("result_nothing")
        return self.say("result_clean", total=str(total), obeyed=str(report.total(Outcome.OBEYED)))


def orders_with(station: Station, *outcomes: Outcome) -> list[tuple[Connector, Order]]:
    """Orders of a charge point with one of these outcomes, in order of time."""
    found = [(connector, order) for connector in station.connectors for order in connector.orders]
    return sorted((pair for pair in found if pair[1].outcome in outcomes), key=lambda pair: pair[1].began)


def _only(template: str, **values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if f"{{{name}}}" in template}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return f"{_capital(text)}." if text and not text.endswith(".") else text
