"""Why there is nothing to report about."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import NO_HISTORY


class NothingToReportError(Exception):
    """Its text is one line. reason: a key of ``NO_HISTORY``, with the values of that sentence."""

    def __init__(self, reason: str, /, **values: str) -> None:
        super().__init__(NO_HISTORY[reason](Language.EN, **values))
        self._said = NO_HISTORY[reason]
        self._values = values

    def text(self, language: Language) -> str:
        """The line in this language."""
        return self._said(language, **self._values)


class NoHistoryError(NothingToReportError):
    """There are no frames."""


class NoFactsError(NothingToReportError):
    """The facts cannot be read."""
