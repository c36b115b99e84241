"""The settings of the stock service."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from stockbuddy.chassis.runtime.settings import CacheSettings, JobSettings, ReadReplicaSettings

DAY_SECONDS = 24 * 3600


class StockSettings(ReadReplicaSettings, CacheSettings, JobSettings):
    """`max_reserved_share`: of a product of another owner, salespersons may reserve until this share is reserved."""

    max_reservation_seconds: Annotated[int, Field(ge=1, le=366 * DAY_SECONDS)] = 30 * DAY_SECONDS
    max_reserved_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.9")
