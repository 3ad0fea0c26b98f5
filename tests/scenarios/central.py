"""A central system that says what it is told to: a peer for the playbook. It speaks text only."""

from __future__ import annotations

import json
import re
from itertools import count

import examples
from scenarios.playbook import Playbook

READING = re.compile(r'\[2, "([^"]+)", "MeterValues"')


class Central:
    """The central system: answers within milliseconds, orders what it is told to.

    transaction: id of the next transaction, and of every one with same_ids. mute: actions it never answers.
    remote_start: answers every Preparing without a transaction with RemoteStartTransaction, as evcc does when that is
    configured.
    """

    def __init__(
        self, play: Playbook, *, remote_start: bool = False, transaction: int | None = None, same_ids: bool = False
    ) -> None:
        self.play = play
        self.mute: set[str] = set()
        self.answer_seconds = 0.002
        self.remote_start = remote_start
        self.transaction = examples.TRANSACTION if transaction is None else transaction
        self.same_ids = same_ids
        self.profile_id = 1
        self._ids = count(7001)
        self._running: set[int] = set()
        play.to_central = self.receive

    def new_id(self) -> str:
        """A unique id of the central system."""
        return str(next(self._ids))

    def order(self, limit: float, connector: int = 1, unit: str = "A") -> None:
        """SetChargingProfile, in evcc's form."""
        utc = self.play.clock.utc
        self.play.from_central(examples.set_limit(self.new_id(), limit, utc, connector=connector, unit=unit))

    def ask(self, action: str, payload: dict[str, object] | None = None) -> None:
        """Any other CALL."""
        self.play.from_central(examples.call(self.new_id(), action, payload or {}))

    def receive(self, text: str) -> None:
        """A frame from the charge point."""
        plain = READING.match(text)
        if plain is not None:
            if "MeterValues" not in self.mute:
                self._answer(f'[3,"{plain[1]}",{{}}]')
            return
        try:
            message = json.loads(text)
        except ValueError:
            return
        if message[0] != 2 or message[2] in self.mute:
            return
        uid, action, payload = message[1], message[2], message[3]
        self._answer(self._result(uid, action, payload))
        prepares = action == "StatusNotification" and payload["status"] == "Preparing"
        if self.remote_start and prepares and payload["connectorId"] not in self._running:
            where = payload["connectorId"]
            self.play.after(0.001, lambda: self.play.from_central(examples.remote_start(self.new_id(), where)))

    def _result(self, uid: str, action: str, payload: dict[str, object]) -> str:
        if action == "StartTransaction":
            self._running.add(int(str(payload["connectorId"])))
            mine = self.transaction
            if not self.same_ids:
                self.transaction += 1 if self.transaction < 2**62 else -1
            return examples.start_result(uid, mine)
        if action == "StopTransaction":
            self._running.clear()
            return examples.result(uid, {"idTagInfo": {"status": "Accepted"}})
        if action == "BootNotification":
            return examples.boot_result(uid, self.play.clock.utc)
        if action == "Heartbeat":
            return examples.heartbeat_result(uid, self.play.clock.utc)
        return examples.result(uid)

    def _answer(self, text: str) -> None:
        self.play.after(self.answer_seconds, lambda: self.play.from_central(text))
