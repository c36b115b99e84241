"""The positions that each caller's last writes have reached in the databases of services with read replicas (ADR 37),
so that a client which ignores `X-Consistency` reads its own writes, too."""

from collections import OrderedDict

from stockbuddy.chassis.http.consistency import format_positions, parse_positions
from stockbuddy.gateway.request import Caller

MAX_CALLERS = 10_000


class KeptPositions:
    """By the name of the caller: a user's sessions share what they wrote. The caller that has not written for the
    longest time is dropped first. Empty without read replicas."""

    def __init__(self) -> None:
        self._positions: OrderedDict[str, dict[str, int]] = OrderedDict()

    def record(self, caller: Caller, token: str) -> None:
        """`token`: the `X-Consistency` of a response to the caller's write."""
        if not (written := parse_positions(token)):
            return
        kept = self._positions.setdefault(caller.name, {})
        for service, position in written.items():
            kept[service] = max(position, kept.get(service, 0))  # responses may overtake each other
        self._positions.move_to_end(caller.name)
        if len(self._positions) > MAX_CALLERS:
            self._positions.popitem(last=False)

    def token_for(self, caller: Caller) -> str | None:
        """The `X-Consistency` of the caller's reads."""
        kept = self._positions.get(caller.name)
        return None if kept is None else format_positions(kept)
