"""The statements of lists and searches: which products stand on a page, and their ready JSON.

A page is found on narrow rows by an index in the order of the list, one row more than shown to know whether there is
a next one; only then are the cards joined. Every statement also reads the tally: how many products live, and the
numbers that grow with every change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stockbuddy.catalog.listing.conditions import Arguments, Selection, select_products
from stockbuddy.catalog.listing.schemas import ProductListing
from stockbuddy.catalog.listing.sought import Sought
from stockbuddy.catalog.system_settings.queries import DEFAULT_THRESHOLD
from stockbuddy.chassis.http.pagination import PageQuery

RANKED_CANDIDATES = 100
"""So many of a search's matches are ranked; those beyond follow, newest first. Bounds the cost of a search for `a`."""
_WEIGHTS = "'{0.1, 0.2, 0.6, 1.0}'"
"""Of a word in the description, the category, the codes and the name."""

TALLY = "SELECT sum(living)::bigint, sum(product_changes)::bigint, sum(stock_changes)::bigint FROM tally"

# The planner's own statistics; '=word' is a whole word of a name, and categories, as '#7', are left out.
COMMON_WORDS = """
    SELECT word, share
    FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) common(word, share)
    WHERE schemaname = current_schema() AND tablename = 'product_card' AND attname = 'search'
        AND word IS NOT NULL AND word ~ '^=?[[:alnum:]]'
"""

_SORTS: Mapping[str, tuple[str, str, type, str]] = {
    "name": ("p", '(lower(p.name) COLLATE "C")', str, "text"),
    "created": ("p", "p.created_at", datetime, "timestamptz"),
    "price": ("p", "p.unit_price", Decimal, "numeric"),
    "stock": ("s", "s.on_hand", Decimal, "numeric"),
}
"""Of each order: its table and expression, and what the expression's values are here and in SQL."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its arguments. A page's rows are: item, two parts of its sort key, three numbers of the tally."""

    text: str
    arguments: Arguments


def count_statement(listing: ProductListing, sought: Sought | None) -> Statement:
    arguments = Arguments()
    search = None
    if sought is not None and sought.common:
        words, common = arguments.add(sought.text, "text"), arguments.add(list(sought.common), "text[]")
        search = _found_by(sought, f"(SELECT driving_query({words}, {common}))", f"(SELECT search_query({words}))")
    selection = select_products(listing, arguments, search=search)
    return Statement(f"SELECT count(*) FROM {selection.source} WHERE {selection.where}", arguments)


def page_statement(listing: ProductListing, paging: PageQuery, sought: Sought | None) -> Statement:
    arguments = Arguments()
    if sought is not None and listing.sort == "relevance":
        found = _ranked(listing, paging, arguments, sought)
    else:
        found = _sorted(listing, paging, arguments)
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


def _sorted(listing: ProductListing, paging: PageQuery, arguments: Arguments) -> str:
    column, _, direction = listing.sort.rpartition("_")
    table, expression, kind, type_name = _SORTS[column]
    selection = select_products(listing, arguments, sorted_by=table)
    where = selection.where
    after = paging.after(listing.sort, kind, int)
    if after is not None:
        # As subqueries, so that every plan expects the same of them: where many products are as old, or few are left,
        # one plan for all cursors looks dearer than one for each, and each page would be planned anew.
        last = f"(SELECT {arguments.add(after[0], type_name)}), (SELECT {arguments.add(after[1], 'bigint')})"
        where += f" AND ({expression}, {selection.product_id}) {'>' if direction == 'asc' else '<'} ({last})"
    return f"""
        page AS MATERIALIZED (
            SELECT product_id, sort_key::text AS first_key, product_id AS second_key FROM (
                SELECT {selection.product_id} AS product_id, {expression} AS sort_key
                FROM {selection.source} WHERE {where}
                ORDER BY {expression} {direction}, {selection.product_id} {direction}
                LIMIT {paging.page_size + 1} {_offset(paging, after)}
            ) sorted
        )
    """


def _offset(paging: PageQuery, after: object) -> str:
    return "" if after is not None or paging.page == 1 else f"OFFSET {paging.offset}"


def _found_by(sought: Sought, driving: str, whole: str) -> tuple[str, ...]:
    """The conditions of a search: by the index over its rarer words, then by all of them."""
    if not sought.common:
        return (f"k.search @@ {whole}",)
    return (f"k.search @@ {driving}", f"ts_match_vq(k.search, {whole})")


def _ranked(listing: ProductListing, paging: PageQuery, arguments: Arguments, sought: Sought) -> str:
    """The best matches first: by SKU or barcode, then by whole words of the name, then by any word or prefix.
    When there are more matches than candidates, the rest follows by id."""
    words, common = arguments.add(sought.text, "text"), arguments.add(list(sought.common), "text[]")

    def select(*conditions: str) -> Selection:
        return select_products(listing, arguments, sorted_by="k", search=conditions)

    # Where nearly everything matches, the newest products are looked through instead: the function, unlike the
    # operator, takes no index.
    newest = "ORDER BY k.product_id DESC"
    if sought.broad_in_names:
        named, named_order = select("ts_match_vq(k.search, (TABLE name_words))"), newest
    else:
        named, named_order = select("k.search @@ (TABLE name_words)"), ""
    others = select(*_found_by(sought, "(TABLE driving)", "(TABLE sought)"))
    first, first_order = others, ""
    if sought.broad:
        first, first_order = select("ts_match_vq(k.search, (TABLE sought))"), newest
    product_id = others.product_id
    before, before_rest = _ranked_after(paging, product_id, arguments)
    limit, offset = paging.page_size + 1, 0 if paging.cursor else paging.offset
    # Where whole words of names fill the page, prefixes need not be looked for.
    enough = RANKED_CANDIDATES if paging.cursor else min(RANKED_CANDIDATES, offset + limit)
    return f"""
        sought AS MATERIALIZED (SELECT search_query({words})),
        driving AS MATERIALIZED (SELECT driving_query({words}, {common})),
        name_words AS MATERIALIZED (SELECT name_query({words})),
        coded AS MATERIALIZED (
            SELECT id FROM product WHERE lower(sku) = lower(btrim({words})) AND deleted_at IS NULL
            UNION ALL SELECT product_id FROM barcode WHERE code = btrim({words})
        ),
        named AS MATERIALIZED (
            SELECT {product_id} AS product_id, k.search FROM {named.source} WHERE {named.where}
            {named_order} LIMIT {RANKED_CANDIDATES}
        ),
        others AS MATERIALIZED (
            SELECT {product_id} AS product_id, k.search FROM {first.source} WHERE {first.where}
            AND (SELECT count(*) FROM named) < {enough}
            AND {product_id} NOT IN (SELECT n.product_id FROM named n) {first_order} LIMIT {RANKED_CANDIDATES}
        ),
        best AS MATERIALIZED (
            SELECT product_id, 1 + ts_rank({_WEIGHTS}, search, (TABLE sought), 1) AS rank FROM named
            WHERE product_id NOT IN (TABLE coded)
            UNION ALL
            SELECT product_id, CASE WHEN search @@ (TABLE name_words) THEN 1 ELSE 0 END
                + ts_rank({_WEIGHTS}, search, (TABLE sought), 1) FROM others
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


def _ranked_after(paging: PageQuery, product_id: str, arguments: Arguments) -> tuple[str, str]:
    """The conditions of what stands behind the cursor: on the ranked, and on the rest (whose rank is -1)."""
    after = paging.after("relevance", Decimal, int)
    if after is None:
        return "true", "true"
    rank, last = arguments.add(after[0], "numeric::real"), arguments.add(after[1], "bigint")
    return f"(rank, product_id) < ({rank}, {last})", f"({rank} >= 0 OR {product_id} < {last})"
