"""Puts a page of products together: rows of ready JSON, the cursor behind them, and a total that is always right.

The total of all products comes from the tally. Any other is counted once and remembered until something changes that
could change it: products, or stock where the filters look at it.
"""

from collections import OrderedDict

from stockbuddy.catalog.listing import queries
from stockbuddy.catalog.listing.commonness import Commonness
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.listing.sought import Sought
from stockbuddy.catalog.readers import Readers
from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

REMEMBERED_TOTALS = 10_000
_NOT_FILTERS = {"sort_by", "page", "page_size", "cursor"}


class Totals:
    """Totals by the filters that they belong to, each with the state of the catalogue it was counted in."""

    def __init__(self) -> None:
        self.commonness = Commonness()
        self._counted: OrderedDict[str, tuple[tuple[int, int], int]] = OrderedDict()

    def get(self, filters: str, state: tuple[int, int]) -> int | None:
        counted = self._counted.get(filters)
        return counted[1] if counted is not None and counted[0] == state else None

    def remember(self, filters: str, state: tuple[int, int], total: int) -> None:
        self._counted[filters] = (state, total)
        self._counted.move_to_end(filters)
        if len(self._counted) > REMEMBERED_TOTALS:
            self._counted.popitem(last=False)


async def product_page(readers: Readers, listing: ProductListing, totals: Totals) -> bytes:
    paging = PageQuery(listing.page, listing.page_size, listing.cursor)
    sought = None if listing.search is None else await totals.commonness.sought(readers, listing.search)
    statement = queries.page_statement(listing, paging, sought)
    rows = await readers.fetch(statement.text, *statement.arguments)
    tally = rows[0][3:6] if rows else (await readers.fetch(queries.TALLY))[0]
    total = await _total(readers, listing, sought, totals, tally)
    cursor = "null"
    if len(rows) > listing.page_size:
        rows.pop()
        cursor = f'"{encode_cursor(listing.sort, list(rows[-1][1:3]))}"'
    items = ",".join([row[0] for row in rows])
    return (
        f'{{"items":[{items}],"page":{listing.page},"page_size":{listing.page_size},'
        f'"total":{total},"next_cursor":{cursor}}}'
    ).encode()


async def _total(
    readers: Readers,
    listing: ProductListing,
    sought: Sought | None,
    totals: Totals,
    tally: tuple[int, int, int],
) -> int:
    living, product_changes, stock_changes = tally
    filters = listing.model_dump_json(exclude=_NOT_FILTERS, exclude_defaults=True)
    if filters == "{}":
        return living
    state = (product_changes, stock_changes if listing.looks_at_stock else 0)
    total = totals.get(filters, state)
    if total is None:
        # Counted after the tally was read: never older than the state it is remembered under.
        statement = queries.count_statement(listing, sought)
        total = int((await readers.fetch(statement.text, *statement.arguments))[0][0])
        totals.remember(filters, state, total)
    return total
