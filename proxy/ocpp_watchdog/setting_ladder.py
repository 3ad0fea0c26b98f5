"""The part of the settings that says what is done about an ignored stop. Nothing here reads anything."""

from __future__ import annotations

from pydantic import Field

from ocpp_watchdog.core.decisions import StepKind
from ocpp_watchdog.core.policy import AfterStop, SetBack
from ocpp_watchdog.setting_kinds import Budget, Section, ShortSeconds, Spacing, Steps, WebUrl, Window


class External(Section):
    """The step `external`: an address that switches a relay."""

    url: WebUrl | None = Field(default=None, description="called by POST; may carry a token and is kept secret")
    try_seconds: ShortSeconds = Field(default=5.0, description="time one attempt may take")
    give_up_seconds: ShortSeconds = Field(default=30.0, description="time all attempts of one call may take")


class Ladder(Section):
    """What is done about an ignored stop, and what follows."""

    steps: Steps = Field(
        default=(StepKind.REMOTE_STOP,),
        description="in this order: repeat_limit, tx_profile, remote_stop, inoperative, soft_reset, external",
    )
    after_stop: AfterStop = Field(
        default=AfterStop.NOTIFY, description="when current is ordered again after our stop: notify or restart"
    )
    set_back: SetBack = Field(
        default=SetBack.OWNER, description="who sets an inoperative connector back: owner or all_clear"
    )
    enforce_limits: bool = Field(
        default=False, description="act on limits above 0 A too, by repeat_limit and tx_profile alone"
    )
    composite_schedule_question: bool = Field(
        default=True, description="after the first step, ask once for what the charge point believes its limit is"
    )
    repeat_limit_budget: Budget = Field(default=1, description="repeat_limit per episode")
    tx_profile_budget: Budget = Field(default=1, description="tx_profile per episode")
    inoperative_budget: Budget = Field(default=1, description="inoperative per episode")
    soft_reset_budget: Budget = Field(default=1, description="soft_reset per window and charge point")
    soft_reset_window_seconds: Window = Field(default=86_400.0, description="the window of that budget")
    external_budget: Budget = Field(default=1, description="external per episode")
    step_cool_down_seconds: Spacing = Field(
        default=120.0, description="shortest time between two of the same step in different episodes"
    )
    external: External = Field(default=External())


class LadderOverrides(Section):
    """The same for one charge point; what is left out is taken from `ladder`."""

    steps: Steps | None = None
    after_stop: AfterStop | None = None
    set_back: SetBack | None = None
    enforce_limits: bool | None = None
    composite_schedule_question: bool | None = None
    repeat_limit_budget: Budget | None = None
    tx_profile_budget: Budget | None = None
    inoperative_budget: Budget | None = None
    soft_reset_budget: Budget | None = None
    soft_reset_window_seconds: Window | None = None
    external_budget: Budget | None = None
    step_cool_down_seconds: Spacing | None = None
