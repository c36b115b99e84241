"""State machine of low-stock alerts: ok → low → depleted → ok."""

from dataclasses import dataclass
from typing import Literal

from stockbuddy.contracts.stock import LevelCrossing, LevelDepleted, LevelRecovered

State = Literal["ok", "low", "depleted"]


@dataclass(frozen=True, slots=True)
class LevelAlertState:
    """`version` is the version of the level whose change led to this state."""

    version: int
    state: State

    def after(self, crossing: "LevelAlertState") -> "LevelAlertState":
        """A depleted level that becomes low has not recovered and stays depleted. One change may publish both low and
        depleted, with the same version and in any order: depleted wins."""
        is_same_change = crossing.version == self.version and crossing.state == "depleted"
        if crossing.version <= self.version and not is_same_change:
            return self
        if self.state == "depleted" and crossing.state == "low":
            return LevelAlertState(crossing.version, "depleted")
        return crossing

    def is_worse_than(self, before: "LevelAlertState") -> bool:
        """True if the change raises an alert."""
        return self.state not in {"ok", before.state}


INITIAL = LevelAlertState(0, "ok")


def is_downward(level: LevelCrossing) -> bool:
    """Only a level that falls raises an alert: opening stock at or below the threshold does not, nor does a receipt."""
    return level.delta <= 0


def state_from_crossing(event_type: str, level: LevelCrossing) -> LevelAlertState:
    if event_type == LevelRecovered.type:
        return LevelAlertState(level.version, "ok")
    is_depleted = event_type == LevelDepleted.type or level.on_hand <= 0
    return LevelAlertState(level.version, "depleted" if is_depleted else "low")
