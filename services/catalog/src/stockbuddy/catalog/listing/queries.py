"""The statements of lists and searches: which products stand on a page, and their ready JSON.

A page is found on narrow rows by an index in the order of the list, one row more than shown to know whether there is
a next one; only then are the cards joined. Every statement also reads the tally: how many products live, and the
numbers that grow with every change.
"""

from dataclasses import dataclass

from stockbuddy.catalog.listing.conditions import Arguments, select_products
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.system_settings.queries import DEFAULT_THRESHOLD
from stockbuddy.chassis.errors import Unprocessable
from stockbuddy.chassis.paging import Paging

RANKED_CANDIDATES = 100
"""So many of a search's matches are ranked; those beyond follow, newest first. Bounds the cost of a search for `a`."""
_WEIGHTS = "'{0.1, 0.2, 0.6, 1.0}'"
"""Of a word in the description, the category, the codes and the name."""

TALLY = "SELECT sum(living)::bigint, sum(product_changes)::bigint, sum(stock_changes)::bigint FROM tally"

_SORTS = {
    "name": ("p", '(lower(p.name) COLLATE "C")', "text"),
    "created": ("p", "p.created_at", "timestamptz"),
    "price": ("p", "p.unit_price", "numeric"),
    "stock": ("s", "s.on_hand", "numeric"),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its arguments. A page's rows are: item, two parts of its sort key, three numbers of the tally."""

    text: str
    arguments: Arguments


def count_statement(listing: ProductListing) -> Statement:
    arguments = Arguments()
    selection = select_products(listing, arguments)
    return Statement(f"SELECT count(*) FROM {selection.source} WHERE {selection.where}", arguments)


def page_statement(listing: ProductListing, paging: Paging) -> Statement:
    arguments = Arguments()
    find = _ranked if listing.sort == "relevance" else _sorted
    found = find(listing, paging, arguments)
    return Statement(
        f"""
        WITH {found}
        SELECT '{{' || k.document || ',"quantity_in_stock":' || trim_scale(s.on_hand)
                || ',"available":' || trim_scale(s.on_hand - s.reserved)
                || ',"low_stock_threshold":' || trim_scale(coalesce(s.threshold, {DEFAULT_THRESHOLD})) || '}}',
            found.first_key, found.second_key, t.*
        FROM (SELECT row_number() OVER () AS place, * FROM page) found
        JOIN product_card k ON k.product_id = found.product_id
        JOIN product_stock s ON s.product_id = found.product_id
        CROSS JOIN ({TALLY}) t
        ORDER BY found.place
        """,
        arguments,
    )


def _sorted(listing: ProductListing, paging: Paging, arguments: Arguments) -> str:
    column, _, direction = listing.sort.rpartition("_")
    table, expression, type_name = _SORTS[column]
    selection = select_products(listing, arguments, sorted_by=table)
    where = selection.where
    after = paging.after(listing.sort)
    if after is not None:
        value, last_id = _cursor_key(after)
        # As text first: the driver takes numbers and dates only as its own types.
        last = f"{arguments.add(value, f'text::{type_name}')}, {arguments.add(last_id, 'bigint')}"
        where += f" AND ({expression}, {selection.product_id}) {'>' if direction == 'asc' else '<'} ({last})"
    return f"""
        page AS MATERIALIZED (
            SELECT {selection.product_id} AS product_id, ({expression})::text AS first_key,
                {selection.product_id} AS second_key
            FROM {selection.source} WHERE {where}
            ORDER BY {expression} {direction}, {selection.product_id} {direction}
            LIMIT {paging.page_size + 1} {_offset(paging, after)}
        )
    """


def _offset(paging: Paging, after: object) -> str:
    return "" if after is not None or paging.page == 1 else f"OFFSET {paging.offset}"


def _cursor_key(after: list[object]) -> tuple[str, int]:
    if len(after) == 2 and isinstance(after[0], str) and isinstance(after[1], int):
        return after[0], after[1]
    raise Unprocessable.field("cursor", "is not a cursor of this list")


def _ranked(listing: ProductListing, paging: Paging, arguments: Arguments) -> str:
    """The best matches first: by SKU or barcode, then by whole words of the name, then by any word or prefix.
    When there are more matches than candidates, the rest follows by id."""
    words = arguments.add(listing.search, "text")
    named = select_products(listing, arguments, sorted_by="k", search="(TABLE name_words)")
    others = select_products(listing, arguments, sorted_by="k", search="(TABLE sought)")
    product_id = others.product_id
    before, before_rest = _ranked_after(paging, product_id, arguments)
    limit, offset = paging.page_size + 1, 0 if paging.cursor else paging.offset
    return f"""
        sought AS MATERIALIZED (SELECT search_query({words})),
        name_words AS MATERIALIZED (SELECT name_query({words})),
        coded AS MATERIALIZED (
            SELECT id FROM product WHERE lower(sku) = lower(btrim({words})) AND deleted_at IS NULL
            UNION ALL SELECT product_id FROM barcode WHERE code = btrim({words})
        ),
        named AS MATERIALIZED (
            SELECT {product_id} AS product_id, k.search FROM {named.source} WHERE {named.where}
            LIMIT {RANKED_CANDIDATES}
        ),
        others AS MATERIALIZED (
            SELECT {product_id} AS product_id, k.search FROM {others.source} WHERE {others.where}
            AND (SELECT count(*) FROM named) < {RANKED_CANDIDATES}
            AND {product_id} NOT IN (SELECT n.product_id FROM named n) LIMIT {RANKED_CANDIDATES}
        ),
        best AS MATERIALIZED (
            SELECT product_id, 1 + ts_rank({_WEIGHTS}, search, (TABLE sought), 1) AS rank FROM named
            WHERE product_id NOT IN (TABLE coded)
            UNION ALL
            SELECT product_id, ts_rank({_WEIGHTS}, search, (TABLE sought), 1) FROM others
            WHERE product_id NOT IN (TABLE coded)
            UNION ALL
            SELECT {product_id}, 2 + ts_rank({_WEIGHTS}, k.search, (TABLE sought), 1)
            FROM {others.source} WHERE {others.where} AND {product_id} IN (TABLE coded)
        ),
        ranked AS MATERIALIZED (
            SELECT product_id, rank FROM best WHERE {before}
            ORDER BY rank DESC, product_id DESC LIMIT {limit} OFFSET {offset}
        ),
        page AS MATERIALIZED (
            SELECT product_id, rank::text AS first_key, product_id AS second_key FROM (
                SELECT product_id, rank FROM ranked
                UNION ALL (
                    SELECT product_id, -1::real FROM (
                        SELECT {product_id} AS product_id FROM {others.source} WHERE {others.where} AND {before_rest}
                        AND (SELECT count(*) FROM best) >= {RANKED_CANDIDATES}
                        AND (SELECT count(*) FROM ranked) < {limit}
                        AND {product_id} NOT IN (SELECT b.product_id FROM best b) OFFSET 0
                    ) rest
                    ORDER BY product_id DESC LIMIT {limit}
                    OFFSET greatest({offset} - (SELECT count(*) FROM best), 0)
                )
            ) parts
            ORDER BY rank DESC, product_id DESC LIMIT {limit}
        )
    """


def _ranked_after(paging: Paging, product_id: str, arguments: Arguments) -> tuple[str, str]:
    """The conditions of what stands behind the cursor: on the ranked, and on the rest (whose rank is -1)."""
    after = paging.after("relevance")
    if after is None:
        return "true", "true"
    key = _cursor_key(after)
    rank, last = arguments.add(key[0], "text::real"), arguments.add(key[1], "bigint")
    return f"(rank, product_id) < ({rank}, {last})", f"({rank} >= 0 OR {product_id} < {last})"
