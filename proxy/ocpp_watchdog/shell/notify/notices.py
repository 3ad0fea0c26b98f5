"""From a decision to people: one line in the log, in the owner's language, and the web hook where there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ocpp_watchdog.core.decisions import Notify, Severity, Warn
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.notify import message
from ocpp_watchdog.texts.catalogue import NOTICES, Language, Said, Sentence, in_language
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

    def warn(self, charge_point: ChargePointId, warning: Warn) -> None:
        """A dangerous command passed."""
        if warning.is_told:
            said = Sentence(de=warning.de, en=warning.en)
            self.tell_about_ourselves(
                "danger", warning.at.utc, charge_point, action=warning.action, fact=warning.fact, said=said
            )

    def tell_about_ourselves(self, kind: str, at_utc: float, charge_point: str | None = None, **values: Said) -> None:
        """What the program has to say about itself: ``degraded`` or ``duplicate``."""
        body = message.about_ourselves(kind, at_utc, charge_point, **values)
        text = NOTICES[kind](self.language, **in_language(values, self.language), charge_point=charge_point or "")
        log.warning("%s", text, extra={"notice": kind, "charge_point": charge_point})
        if self.post is not None:
            self.post(body)
