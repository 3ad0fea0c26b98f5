"""The budget of each step of the ladder: how often it may be taken, and how far apart (watchdog rules 5, DESIGN 4).

One rung per kind of step and connector; that of ``soft_reset`` shares its memory with the other connectors, because a
reset is the whole charge point's. Counts and remembers; decides nothing. What is in ``sent`` must survive a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ocpp_watchdog.core.decisions import StepKind
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.core.values import value

MOST_KEPT = 16
"""More than any budget."""


@value
class Terms:
    """At most ``most`` within ``window_seconds``, and where ``is_episodic`` within an episode; ``spacing_seconds`` from
    one to the next."""

    most: int
    window_seconds: float
    spacing_seconds: float = 0.0
    is_episodic: bool = True


def terms(kind: StepKind, policy: Policy) -> Terms:
    """What holds for this step as the owner wants it now."""
    cool_down = policy.step_cool_down_seconds
    match kind:
        case StepKind.REPEAT_LIMIT:
            return Terms(policy.repeat_limit_budget, cool_down)
        case StepKind.TX_PROFILE:
            return Terms(policy.tx_profile_budget, cool_down)
        case StepKind.REMOTE_STOP:
            window, spacing = policy.remote_stop_window_seconds, policy.remote_stop_spacing_seconds
            return Terms(policy.remote_stop_budget, window, spacing, is_episodic=False)
        case StepKind.INOPERATIVE:
            return Terms(policy.inoperative_budget, cool_down)
        case StepKind.SOFT_RESET:
            return Terms(policy.soft_reset_budget, policy.soft_reset_window_seconds, is_episodic=False)
        case _:
            return Terms(policy.external_budget, cool_down)


@dataclass(slots=True)
class Rung:
    """What was taken of one step on one connector. sent: when (monotonic seconds), oldest first; used: in this
    episode."""

    kind: StepKind
    sent: Recent[Mono] = field(default_factory=lambda: Recent(MOST_KEPT))
    used: int = 0

    def has_budget(self, policy: Policy, now: Moment) -> bool:
        """One more may be taken in this window and this episode."""
        own = terms(self.kind, policy)
        full = self._full_until(own)
        return not self._is_spent(own) and (full is None or now.mono >= full)

    def is_apart(self, policy: Policy, now: Moment) -> bool:
        """The last one is far enough away."""
        return not self.sent or now.mono - self.sent[-1] >= terms(self.kind, policy).spacing_seconds

    def opens_at(self, policy: Policy) -> float | None:
        """When it may be taken again by time alone (monotonic seconds, perhaps past); None: it was never taken, or is
        spent."""
        own = terms(self.kind, policy)
        if not self.sent or self._is_spent(own):
            return None
        apart = self.sent[-1] + own.spacing_seconds
        full = self._full_until(own)
        return apart if full is None else max(apart, full)

    def is_fresh(self, policy: Policy, now: Moment) -> bool:
        """As if it had never been taken, but for the episode it was taken in."""
        own = terms(self.kind, policy)
        return not self.sent or now.mono - self.sent[-1] >= max(own.window_seconds, own.spacing_seconds)

    def take(self, mono: float) -> None:
        """It went out at this moment."""
        self.sent.append(mono)
        self.used += 1

    def _is_spent(self, own: Terms) -> bool:
        """No time brings it back in this episode."""
        return own.is_episodic and self.used >= own.most

    def _full_until(self, own: Terms) -> float | None:
        """Until when the budget of the window is used up; None: it is not."""
        return self.sent[-own.most] + own.window_seconds if len(self.sent) >= own.most else None
