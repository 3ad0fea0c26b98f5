"""The supervised obedience test of one connector: the owner's own orders, walked down to 0 A, a stop and a new start.

Never orders more than the central system does, and puts the central system's last profile back at the end, however it
ends. The judge knows nothing of these orders: what follows from them is judged in ``showing.py`` and nowhere else
(decision 16).
"""

from __future__ import annotations

from dataclasses import replace

from ocpp_watchdog.core import payloads, showing
from ocpp_watchdog.core.commands import ClearProfiles, SetProfile
from ocpp_watchdog.core.decisions import StepOutcome
from ocpp_watchdog.core.exercise import Ask, End, Found, Part, PartReport, Scene, SelfTestView, limited
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.profiles import Installed, matches, repeated
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.showing import Shown, UnderWay
from ocpp_watchdog.core.terms import ConnectorId, Moment, Purpose, Status
from ocpp_watchdog.core.units import Limit

WATCHED_SECONDS = 30.0
"""Somebody must look at least so often: a supervised test that nobody watches ends."""
SILENCE_SECONDS = 60.0
AGAIN_SECONDS = 10.0
MOST_TRIES = 5
MOST_ROUNDS = 3
PREPARING_SECONDS = 30.0
"""So long a new start waits for the status that most charge points want for it."""


class SelfTest:
    """The state of one test. asks: what is to be sent next; whoever takes it out tells what becomes of it."""

    def __init__(
        self,
        connector: ConnectorId,
        base: SetProfile,
        scene: Scene,
        parts: tuple[PartReport, ...],
        *,
        id_tag: str,
        policy: Policy,
        now: Moment,
    ) -> None:
        self.connector = connector
        self.asks: list[Ask] = []
        self.end: End | None = None
        self.is_over = False
        self._base = base
        self._key = scene.key
        self._ordered = scene.ordered
        self._transaction_id = scene.transaction_id
        self._id_tag = id_tag
        self._policy = policy
        self._began = now
        self._watched = now.mono
        self._parts = list(parts)
        self._at = -1
        self._is_asked = False
        self._settled: float | None = None
        self._part_began = now
        self._before: Sample | None = None
        self._is_altered = False  # the charge point may hold a limit of ours
        self._was_altered = False  # and did before the newest one went out
        self._is_touched = False  # a limit of ours went out
        self._was_overruled = False
        self._rounds = 1
        self._tries = 0
        self._again = now.mono
        self._over_mono: float | None = None

    @classmethod
    def owing(cls, connector: ConnectorId, base: SetProfile, scene: Scene, *, policy: Policy, now: Moment) -> SelfTest:
        """A test that was cut off by a restart: all it still does is to put this profile back."""
        test = cls(connector, base, scene, (), id_tag="", policy=policy, now=now)
        test.abort(now, End.DISCONNECTED)
        test.written(Ask(Part.LIMIT, payloads.SET_PROFILE, {}), now)
        return test

    # -- what can be seen ------------------------------------------------------------------------------------------

    def view(self) -> SelfTestView:
        """As it stands."""
        restored = not self._is_altered if self.is_over and self._is_touched else None
        return SelfTestView(self.connector, self._began, tuple(self._parts), self.end, self.is_over, restored)

    @property
    def owed(self) -> SetProfile | None:
        """The profile to put back, None: the charge point holds nothing of ours, nor is anything on its way."""
        return self._base if self._is_altered or (self._is_asked and self._part is Part.LIMIT) else None

    def next_at(self, scene: Scene) -> list[float]:
        """When ``look`` has something to do by time alone (monotonic seconds)."""
        if self.is_over:
            return []
        if self.end is not None:
            return [self._again] if scene.connected and not self._is_asked else []
        times = [self._watched + WATCHED_SECONDS]
        if not self._is_asked:
            times += [self._deadline(scene), self._give_up_at(scene), self._part_began.mono + PREPARING_SECONDS]
        return times

    # -- what comes in ---------------------------------------------------------------------------------------------

    def watched(self, now: Moment) -> None:
        """Somebody looked."""
        self._watched = now.mono

    def wants(self, ask: Ask) -> bool:
        """Asked at the moment of writing."""
        return self._is_open if self.end is None else ask.part is Part.RESTORE and self._is_altered

    def written(self, ask: Ask, now: Moment) -> None:
        """It is on the wire."""
        if self.end is None:
            self._report(sent=now)
        if ask.part is Part.LIMIT:
            self._was_altered, self._is_altered, self._is_touched = self._is_altered, True, True

    def dropped(self, now: Moment) -> None:
        """It never went out."""
        self._is_asked = False
        self._again = now.mono + AGAIN_SECONDS
        if self.end is None and self._is_open:
            self._finish(Shown(Found.NOT_SENT), now)

    def settled(self, ask: Ask, outcome: StepOutcome, now: Moment) -> None:
        """It was answered, or is given up."""
        self._is_asked = False
        self._settled = now.mono
        self._again = now.mono + AGAIN_SECONDS
        if ask.part is Part.RESTORE and outcome is StepOutcome.ACCEPTED:
            self._is_altered = False
        elif ask.part is Part.LIMIT and outcome is StepOutcome.REFUSED:
            self._is_altered = self._is_altered and self._was_altered
        if self.end is not None:
            return
        self._report(answer=outcome.value)
        if outcome is StepOutcome.REFUSED:
            self._finish(Shown(Found.REFUSED), now)

    def abort(self, now: Moment, why: End = End.OWNER) -> None:
        """It goes no further; what was altered is put back."""
        if self.end is not None:
            return
        if self._is_open:
            self._report(found=Found.BROKEN_OFF)
        self.end = why
        self._again = now.mono

    def look(self, scene: Scene, now: Moment) -> None:
        """Something may have happened, or time has passed."""
        if self.is_over:
            return
        self._notice(scene, now)
        self._go_on(scene, now)
        if self.end is not None:
            self._put_back(scene, now)

    # -- what ends it ----------------------------------------------------------------------------------------------

    def _notice(self, scene: Scene, now: Moment) -> None:
        if not scene.connected:
            self._is_asked = False  # it died with the connection
            self.abort(now, End.DISCONNECTED)
        if now.mono >= self._watched + WATCHED_SECONDS:
            self.abort(now, End.UNWATCHED)
        if scene.key != self._key:
            self._commanded(scene, now)
        elif _amperes(scene.ordered) != _amperes(self._ordered):
            self._ordered_otherwise(scene, now)
        if not self._is_running(scene):
            if self._base.profile.purpose is Purpose.TX:
                self._is_altered = False  # it went with its transaction (R14)
            if self._part in (Part.LIMIT, Part.RESTORE):
                self.abort(now, End.TRANSACTION_OVER)

    def _commanded(self, scene: Scene, now: Moment) -> None:
        """The central system said something. The same limit again overrules the part under way; another one ends the
        test, and so does a stop at any time."""
        self._key = scene.key
        command = scene.newest
        if isinstance(command, ClearProfiles) and _clears(command, self._base):
            self._is_altered = False  # what it clears of its own, ours in its place is cleared with
        elif isinstance(command, SetProfile) and _replaces(command, self._base):
            self._is_altered, self._base = False, command
        if _amperes(scene.ordered) != _amperes(self._ordered) or not isinstance(command, SetProfile):
            self._ordered_otherwise(scene, now)
        elif self.end is None and self._part is Part.LIMIT:
            self._overruled(scene, now)

    def _ordered_otherwise(self, scene: Scene, now: Moment) -> None:
        """By a command, or by its schedule alone. Once the limit is back only a stop is of interest."""
        is_stop = scene.ordered is not None and scene.ordered.is_zero
        if is_stop or self._part not in (Part.REMOTE_STOP, Part.REMOTE_START):
            self.abort(now, End.CENTRAL_SYSTEM)

    def _overruled(self, scene: Scene, now: Moment) -> None:
        """The central system's limit stands again. It orders that when it sees a car suspended that is to charge, and
        then leaves it alone for a while: the part is begun anew."""
        self._was_overruled = True
        shown = self._shown(scene, now)
        if self._rounds >= MOST_ROUNDS:
            self._finish(replace(shown, found=Found.OVERRULED), now)
        elif not self._is_asked:
            self._rounds += 1
            self._start(now)

    def _is_running(self, scene: Scene) -> bool:
        """The transaction that the test began with."""
        return scene.transaction_open and scene.transaction_id == self._transaction_id

    def _put_back(self, scene: Scene, now: Moment) -> None:
        """Give the central system's last profile again, until it is taken or there is no hope."""
        if not self._is_altered or self._tries >= MOST_TRIES:
            self.is_over = not self._is_asked
        elif scene.connected and not self._is_asked and now.mono >= self._again:
            self._tries += 1
            self._ask(self._restoring(now))

    # -- one part after the other ----------------------------------------------------------------------------------

    @property
    def _part(self) -> Part | None:
        """What is under way."""
        return self._parts[self._at].part if 0 <= self._at < len(self._parts) else None

    @property
    def _is_open(self) -> bool:
        """It is under way and not decided."""
        return self._part is not None and self._parts[self._at].found is None

    def _go_on(self, scene: Scene, now: Moment) -> None:
        while self.end is None and not self._is_asked:
            if self._is_open:
                shown = self._shown(scene, now)
                if shown.found is None:
                    return
                self._finish(shown, now)
            self._at += 1
            if self._part is None:
                self.end = End.DONE
                return
            self._rounds, self._before = 1, scene.samples.last
            self._start(now)

    def _start(self, now: Moment) -> None:
        """Begin the part, or begin it anew."""
        self._part_began, self._settled = now, None
        self._report(sent=None, answer="")
        self._begin(now)

    def _begin(self, now: Moment) -> None:
        part, base = self._parts[self._at], self._base
        if part.part is Part.LIMIT:
            profile = limited(base.profile, part.amperes or 0.0, now.utc)
            self._ask(Ask(part.part, payloads.SET_PROFILE, payloads.set_profile(base.connector, profile)))
        elif part.part is Part.RESTORE and self._is_altered:
            self._ask(self._restoring(now))
        elif part.part is Part.RESTORE:  # the central system has done it, or nothing of ours was taken
            self._report(found=Found.BY_ITSELF if self._was_overruled else Found.SKIPPED)
        elif part.part is Part.REMOTE_STOP and self._transaction_id is not None:
            payload = payloads.remote_stop(self._transaction_id)
            self._ask(Ask(part.part, payloads.REMOTE_STOP, payload, self._transaction_id))
        elif self._over_mono is None:
            self._report(found=Found.SKIPPED)  # what was not stopped need not be started

    def _restoring(self, now: Moment) -> Ask:
        payload = payloads.set_profile(self._base.connector, repeated(self._base.profile, now.utc))
        return Ask(Part.RESTORE, payloads.SET_PROFILE, payload)

    def _ask(self, ask: Ask) -> None:
        self._is_asked = True
        self.asks.append(ask)

    def _report(self, **changes: object) -> None:
        self._parts[self._at] = replace(self._parts[self._at], **changes)  # type: ignore[arg-type]

    def _finish(self, shown: Shown, now: Moment) -> None:
        """The part under way is over."""
        sent, since = self._parts[self._at].sent, shown.since
        seconds = None if since is None or sent is None else max(0.0, since - sent.mono)
        seen = None if shown.sample is None else shown.sample.reading.highest_current
        self._report(found=shown.found, seconds=seconds, amperes_seen=seen, evidence=shown.evidence)
        self._part_began = now

    # -- what shows ------------------------------------------------------------------------------------------------

    def _shown(self, scene: Scene, now: Moment) -> Shown:
        """What the part under way shows so far."""
        part = self._parts[self._at]
        if part.part is Part.REMOTE_START:
            return self._start_shows(scene, now)
        if part.sent is None:
            return showing.WAITING
        deadline, give_up = self._deadline(scene), self._give_up_at(scene)
        order = UnderWay(part.amperes or 0.0, part.sent.mono, deadline, give_up, self._before)
        if part.part is Part.RESTORE:
            return showing.return_shows(scene, order, self._policy, now)
        if part.part is Part.LIMIT:
            shows = showing.limit_shows if part.amperes else showing.zero_shows
            return shows(scene, order, self._policy, now)
        if self._over_mono is None and not self._is_running(scene):
            self._over_mono = now.mono
        return showing.stop_shows(scene, order, self._over_mono, self._policy, now)

    def _start_shows(self, scene: Scene, now: Moment) -> Shown:
        """RemoteStartTransaction: a transaction begins. It waits for Preparing, but not for long."""
        sent = self._parts[self._at].sent
        if scene.transaction_open:
            return Shown(Found.BY_ITSELF if sent is None else Found.FOLLOWED, now.mono)
        if sent is not None:
            return Shown(Found.IGNORED) if now.mono >= self._deadline(scene) else showing.WAITING
        if scene.status is Status.PREPARING or now.mono >= self._part_began.mono + PREPARING_SECONDS:
            payload = payloads.remote_start(self.connector, self._id_tag)
            self._ask(Ask(Part.REMOTE_START, payloads.REMOTE_START, payload))
        return showing.WAITING

    def _deadline(self, scene: Scene) -> float:
        """Until when it must show (monotonic seconds)."""
        answered = self._part_began.mono if self._settled is None else self._settled
        if self._part is Part.RESTORE:
            return answered + self._policy.raise_settle_seconds
        if self._part is Part.LIMIT:
            return answered + self._policy.settle_seconds
        return answered + max(self._policy.proof_seconds, 2.0 * (scene.samples.interval() or 0.0))

    def _give_up_at(self, scene: Scene) -> float:
        """When no reading has come for so long that none is waited for."""
        return self._deadline(scene) + max(SILENCE_SECONDS, 2.0 * (scene.samples.interval() or 0.0))


def _replaces(command: SetProfile, base: SetProfile) -> bool:
    """Whether it takes the place of the profile that the test varies (R4 to R6)."""
    mine, other = base.profile, command.profile
    is_same_place = (mine.stack_level, mine.purpose) == (other.stack_level, other.purpose)
    return command.connector == base.connector and (is_same_place or mine.profile_id == other.profile_id)


def _clears(command: ClearProfiles, base: SetProfile) -> bool:
    """Whether it means the profile that the test varies: ours has its id and its place (R21)."""
    return matches(Installed(base.connector, base.profile, 0.0), command.criteria)


def _amperes(limit: Limit | None) -> float | None:
    return None if limit is None else limit.amperes
