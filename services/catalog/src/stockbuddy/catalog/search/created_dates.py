"""The moments at which the days in a filter begin."""

from typing import TypeVar

from stockbuddy.catalog.replicas.system_settings import load_company_zone
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.chassis.calendar_days import needs_zone, start_of
from stockbuddy.chassis.postgres.database import Database

Filter = TypeVar("Filter", bound=ProductFilter)
_FIELDS = ("created_from_date", "created_to_date")


async def with_moments(database: Database, query: Filter) -> Filter:
    """The filter with moments instead of days; the same filter, without a query, if it has no days."""
    ends = {name: end for name in _FIELDS if (end := getattr(query, name)) is not None}
    if not needs_zone(*ends.values()):
        return query
    async with database.reading() as session:
        zone = await load_company_zone(session)
    return query.model_copy(update={name: start_of(end, zone) for name, end in ends.items()})
