"""What all verbs are made of, and how they speak."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ocpp_watchdog.settings import Settings, load


class Verb(BaseModel):
    """Flags below a verb; unknown ones are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfiguredVerb(Verb):
    """A verb about the proxy that these settings belong to."""

    config: Path | None = Field(default=None, description="the settings file of the proxy")

    def settings(self) -> Settings:
        """The settings the proxy has. Raises BadSettingError."""
        return load(**({} if self.config is None else {"config": self.config}))


def say(line: str) -> None:
    """One line on standard output."""
    print(line, flush=True)


def complain(line: str) -> None:
    """One line on standard error."""
    print(f"ocpp-watchdog: {line}", file=sys.stderr)


def leave(code: int) -> None:
    """End with this exit code; 0 is how a verb ends by itself."""
    if code:
        raise SystemExit(code)
