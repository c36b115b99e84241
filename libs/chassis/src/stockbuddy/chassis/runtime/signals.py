"""Signals between the parts of a service: code that has committed wakes those that wait for its work."""

from collections import defaultdict
from collections.abc import Callable

Listener = Callable[[], None]


class Signals:
    """The signals of one schema in this process. They carry no data: who listens reads the database."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self.forward: Callable[[str], None] | None = None
        """Sends a signal to another process of the same service, whose listeners `receive` it."""

    def listen(self, signal: str, listener: Listener) -> None:
        """Call `listener` at every `signal`, until the process ends."""
        self._listeners[signal].append(listener)

    def send(self, signal: str) -> None:
        """Call the listeners of this process at once, and forward the signal."""
        self.receive(signal)
        if self.forward is not None:
            self.forward(signal)

    def receive(self, signal: str) -> None:
        """Call the listeners of this process only."""
        for listener in self._listeners[signal]:
            listener()
