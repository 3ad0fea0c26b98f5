"""From a decision to people: one line in the log, in the owner's language, and the web hook where there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ocpp_watchdog.core.decisions import Notify, Severity
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.notify import message
from ocpp_watchdog.texts.catalogue import NOTICES, Language
from ocpp_watchdog.texts.wording import notice_text

log = logging.getLogger(__name__)

LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}
Post = Callable[[message.Json], None]


class Notices:
    """Tells people. post: the web hook's queue, None when there is none."""

    def __init__(self, language: Language, post: Post | None) -> None:
        self.language = language
        self.post = post

    def tell(self, charge_point: ChargePointId, notice: Notify) -> None:
        """What the judge wants told."""
        extra = {"charge_point": charge_point, "connector": notice.connector, "notice": str(notice.kind)}
        log.log(LEVELS[notice.severity], "%s", notice_text(charge_point, notice, self.language), extra=extra)
        if self.post is not None:
            self.post(message.notice(charge_point, notice))

    def tell_about_ourselves(self, kind: str, at_utc: float, charge_point: str | None = None, **values: str) -> None:
        """What the program has to say about itself: ``degraded`` or ``duplicate``."""
        body = message.about_ourselves(kind, at_utc, charge_point, **values)
        text = NOTICES[kind](self.language, **values, charge_point=charge_point or "")
        log.warning("%s", text, extra={"notice": kind, "charge_point": charge_point})
        if self.post is not None:
            self.post(body)
