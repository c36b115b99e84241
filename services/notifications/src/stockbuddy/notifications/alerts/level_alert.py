"""Where a level of stock stands in our eyes, and when that is worth telling."""

from dataclasses import dataclass
from typing import Literal

from stockbuddy.contracts.stock import LevelCrossing, LevelDepleted, LevelRecovered

State = Literal["well", "low", "depleted"]


@dataclass(frozen=True, slots=True)
class Standing:
    """`version` is the level's own, of the change that brought it here."""

    version: int
    state: State

    def after(self, crossing: "Standing") -> "Standing":
        """What has been depleted and is merely low now has not recovered: it stays depleted. Low and depleted may be
        said of one change; then they bear one version, and the worse holds, whichever comes first."""
        is_same_change = crossing.version == self.version and crossing.state == "depleted"
        if crossing.version <= self.version and not is_same_change:
            return self
        if self.state == "depleted" and crossing.state == "low":
            return Standing(crossing.version, "depleted")
        return crossing

    def is_worse_than(self, before: "Standing") -> bool:
        """A crossing to tell of."""
        return self.state not in {"well", before.state}


UNHEARD_OF = Standing(0, "well")


def standing_of(event_type: str, level: LevelCrossing) -> Standing:
    if event_type == LevelRecovered.type:
        return Standing(level.version, "well")
    is_depleted = event_type == LevelDepleted.type or level.on_hand <= 0
    return Standing(level.version, "depleted" if is_depleted else "low")
