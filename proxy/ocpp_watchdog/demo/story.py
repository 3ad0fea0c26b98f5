"""From what happens to lines a person can follow, in simulated clock time. Waits for nothing and starts nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from ocpp_watchdog.core.asking import CURRENT_WRONG, HIDDEN_PROFILE, SCHEDULE_ASKED
from ocpp_watchdog.core.decisions import (
    ConnectorView,
    EpisodeView,
    FactKind,
    NoticeKind,
    Notify,
    Phase,
    Record,
)
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment
from ocpp_watchdog.simulator.transcript import Happening
from ocpp_watchdog.texts.catalogue import PHASES, Language
from ocpp_watchdog.texts.demo import DEMO
from ocpp_watchdog.texts.wording import measured, notice_text, number, step_text

ZONE = timezone(timedelta(hours=2))
"""Local time of the field case."""

Say = Callable[[str], None]
SCHEDULE_SAYS = {CURRENT_WRONG: "watchdog.schedule_zero", HIDDEN_PROFILE: "watchdog.schedule_other"}
TOLD_BY_STEPS = frozenset({NoticeKind.STEP})
"""Notices that the record of the step tells already, and with its outcome."""


class Story:
    """Writes lines. say: takes one. number_of_connectors: above 1 every line names its connector. look: called before
    a decision is told, so that the reading that led to it is told first. is_told: False before and after the story."""

    def __init__(self, say: Say, language: Language, number_of_connectors: int) -> None:
        self._say = say
        self._language = language
        self._names_connectors = number_of_connectors > 1
        self._phases: dict[ConnectorId, Phase] = {}
        self._readings: dict[ConnectorId, Reading] = {}
        self._untold: list[Happening] = []
        self._readings_wanted = 0
        self.look: Callable[[], None] = lambda: None
        self.is_told = self.is_begun = False
        self.kinds: list[NoticeKind] = []
        self.open_episodes: set[ConnectorId] = set()
        self.closed_episodes: list[EpisodeView] = []
        self.stop_ordered: Moment | None = None

    def begin(self) -> None:
        """From now on lines are written."""
        self.is_told = self.is_begun = True
        self._readings_wanted = 0

    # -- who speaks ------------------------------------------------------------------------------------------------

    def happened(self, happening: Happening) -> None:
        """One of the two simulators did something. How a stop is taken is told behind the order itself."""
        if happening.name == "stop_ignored":
            self._untold.append(happening)
            return
        self._tell(happening)
        if happening.name == "limit_ordered":
            self._readings_wanted = 1
            untold, self._untold = self._untold, []
            for late in untold:
                self._tell(late)

    def decided(self, _: ChargePointId, decision: Notify | Record) -> None:
        """The watchdog told somebody something, or wrote down a fact."""
        if isinstance(decision, Notify) or decision.kind is not FactKind.STOP_ORDERED:
            self.look()
        if isinstance(decision, Notify):
            self._told(decision)
        else:
            self._noted(decision)

    def seen(self, view: ConnectorView, believed_watts: float | None, now: Moment) -> None:
        """A look at a connector: new readings since the stop order, and every change of phase."""
        if view.reading is not None and view.reading is not self._readings.get(view.connector):
            self._readings[view.connector] = view.reading
            if self.stop_ordered is not None or self._readings_wanted > 0:
                self._readings_wanted -= 1
                self._reading(view.reading, believed_watts, view.connector)
        if view.phase is not self._phases.get(view.connector, Phase.UNKNOWN):
            self._phases[view.connector] = view.phase
            self._phase(view, now)

    # -- lines -----------------------------------------------------------------------------------------------------

    def _tell(self, happening: Happening) -> None:
        key = f"{happening.peer}.{happening.name}"
        if happening.name == "limit_ordered" and happening.values.get("amperes") == 0:
            key += ".stop"
        elif happening.name == "out_of_sync":
            key += ".charges" if happening.values["got"] else ".rests"
        if key in DEMO:
            who = "wallbox" if happening.peer == "charge_point" else "evcc"
            values = {name: self._readable(value) for name, value in happening.values.items()}
            self._line(happening.utc, who, DEMO[key](self._language, **values), happening.connector)

    def _phase(self, view: ConnectorView, now: Moment) -> None:
        phase = PHASES[view.phase](self._language)
        text = DEMO["watchdog.phase"](self._language, phase=phase)
        if view.phase is Phase.SETTLING and view.deadline_mono is not None:
            until = local_time(now.utc + view.deadline_mono - now.mono)
            text = DEMO["watchdog.settling"](self._language, phase=phase, until=until)
        self._line(now.utc, "watchdog", text, view.connector)

    def _told(self, notice: Notify) -> None:
        self.kinds.append(notice.kind)
        if notice.kind not in TOLD_BY_STEPS:
            text = notice_text("", notice, self._language, ZONE).partition(": ")[2]
            self._line(notice.at.utc, "watchdog", text, notice.connector)

    def _noted(self, fact: Record) -> None:
        if fact.kind is FactKind.STOP_ORDERED and self.stop_ordered is None:
            self.stop_ordered = fact.at
        elif fact.kind is FactKind.STOP_ENDED and NoticeKind.ALARM not in self.kinds:
            self.stop_ordered = None
        elif fact.kind is FactKind.EPISODE_OPENED:
            self.open_episodes.add(fact.connector)
        elif fact.kind is FactKind.EPISODE_CLOSED:
            self.open_episodes.discard(fact.connector)
            self.closed_episodes += [] if fact.episode is None else [fact.episode]
        elif fact.kind is FactKind.QUESTION:
            self._line(fact.at.utc, "watchdog", DEMO[_question(fact)](self._language), fact.connector)
        elif fact.kind is FactKind.STEP and fact.step is not None:
            self._line(fact.at.utc, "watchdog", step_text(fact.step, self._language), fact.connector)

    def _reading(self, reading: Reading, believed_watts: float | None, connector: ConnectorId) -> None:
        believed = "-" if believed_watts is None else number(believed_watts, 0, self._language)
        text = DEMO["meter.says"](self._language, measured=measured(reading, self._language), believed=believed)
        self._line(reading.arrived.utc, "meter", text, connector)

    def _line(self, utc: float, who: str, text: str, connector: int) -> None:
        if not self.is_told:
            return
        where = f"[{connector}] " if self._names_connectors and connector else ""
        self._say(f"{local_time(utc)}  {DEMO['who.' + who](self._language):<8}  {where}{text}")

    def _readable(self, value: object) -> str:
        return (
            number(value, 0 if value == int(value) else 1, self._language) if isinstance(value, float) else str(value)
        )


def local_time(utc: float) -> str:
    """Wall clock of the field case."""
    return datetime.fromtimestamp(utc, UTC).astimezone(ZONE).strftime("%H:%M:%S")


def _question(fact: Record) -> str:
    """Which sentence tells this question, or the answer to it (then the episode stands beside it)."""
    if fact.episode is not None:
        return SCHEDULE_SAYS.get(fact.text, "watchdog.schedule_silent")
    return "watchdog.schedule" if fact.text == SCHEDULE_ASKED else "watchdog.question"
