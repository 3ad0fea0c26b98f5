"""From a decision to people: one line in the log, in the owner's language, and every way that is configured."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ocpp_watchdog.core.decisions import Notify, Severity, Warn
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.shell.notify.message import Message, of_notice, of_ourselves
from ocpp_watchdog.shell.notify.way import Delivery, Ways
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.texts.catalogue import NOTICES, Language, Said, Sentence, in_language
from ocpp_watchdog.texts.wording import notice_text

log = logging.getLogger(__name__)

LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}
QUIET_SECONDS = 3_600.0
UNDELIVERED = "undelivered"


class Notices:
    """Tells people.

    ways: where to, beside the log. A way that fails is told of by the others, hourly at most for each.
    """

    def __init__(self, language: Language, now: Callable[[], Moment], tally: Tally) -> None:
        self.language = language
        self.ways = Ways(tally, self._gave_up)
        self._now = now
        self._quiet_until: dict[str, float] = {}

    def use(self, language: Language, deliveries: list[Delivery]) -> None:
        """From now on speak this language, and send as these say."""
        self.language = language
        self.ways.use(deliveries)

    def tell(self, charge_point: ChargePointId, notice: Notify) -> None:
        """What the judge wants told."""
        extra = {"charge_point": charge_point, "connector": notice.connector, "notice": str(notice.kind)}
        log.log(LEVELS[notice.severity], "%s", notice_text(charge_point, notice, self.language), extra=extra)
        self.ways.post(of_notice(charge_point, notice))

    def warn(self, charge_point: ChargePointId, warning: Warn) -> None:
        """A command passed that this device is known for: everybody is told of a danger, the log of all the rest."""
        if not warning.is_told:
            return
        said = Sentence(de=warning.de, en=warning.en)
        values: dict[str, Said] = {"action": warning.action, "fact": warning.fact, "said": said}
        if warning.severity is Severity.CRITICAL:
            self.tell_about_ourselves("danger", warning.at.utc, charge_point, **values)
            return
        text = NOTICES["caution"](self.language, **in_language(values, self.language), charge_point=charge_point)
        log.warning("%s", text, extra={"notice": "caution", "charge_point": charge_point})

    def tell_about_ourselves(self, kind: str, at_utc: float, charge_point: str | None = None, **values: Said) -> None:
        """What the program has to say about itself: ``degraded``, ``duplicate``, ``unanswered``, ``still_open``,
        ``test_alarm``."""
        text = NOTICES[kind](self.language, **in_language(values, self.language), charge_point=charge_point or "")
        log.warning("%s", text, extra={"notice": kind, "charge_point": charge_point})
        self.ways.post(of_ourselves(kind, at_utc, charge_point, **values))

    def _gave_up(self, way: str, message: Message, reason: str) -> None:
        """A message will never arrive by this way: say so by the others."""
        now = self._now()
        if message.kind == UNDELIVERED or now.mono < self._quiet_until.get(way, float("-inf")):
            return
        self._quiet_until[way] = now.mono + QUIET_SECONDS
        self.ways.post(of_ourselves(UNDELIVERED, now.utc, None, way=way, reason=reason), but_not=way)
