"""A thread of the journal: begun once, told to end, waited for. What it does is its own."""

from __future__ import annotations

from threading import Event, Thread


class Worker:
    """failures only grows. Whoever derives from it gives ``_run``, which ends soon after ``_stopping`` is set."""

    def __init__(self, name: str) -> None:
        self.failures = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Do what is there and end; ``join`` waits for it."""
        self._stopping.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; False: it still hangs."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        raise NotImplementedError
