"""The statements of lists and searches: the products of one page with their JSON, and the count of a whole list.

A page is found on narrow rows by an index in the order of the list, with one row more than shown to detect a next page;
only then are the cards joined. Every statement also reads the counters: the number of products, and the numbers that
grow with every change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stockbuddy.catalog.replicas.system_settings import DEFAULT_THRESHOLD
from stockbuddy.catalog.search.conditions import Arguments, Selection, select_products
from stockbuddy.catalog.search.ranked_page import RANKED_PAGE
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.catalog.search.search_terms import SearchTerms

MAX_RANKED_MATCHES = 100
"""Further matches follow, newest first. Bounds the cost of a search for `a`."""

COUNTERS = """
    SELECT sum(product_count)::bigint, sum(product_changes)::bigint, sum(stock_changes)::bigint FROM change_counter
"""

_SORT_KEYS: Mapping[str, tuple[str, str, type, str]] = {
    "name": ("p", '(text_key(p.name) COLLATE "C")', str, "text"),
    "created": ("p", "p.created_at", datetime, "timestamptz"),
    "price": ("p", "p.unit_price", Decimal, "numeric"),
    "stock": ("s", "s.on_hand", Decimal, "numeric"),
}
"""Table, expression, Python type and SQL type of each sort key."""

QUANTITY_FIELDS = f"""
    ',"quantity_in_stock":' || trim_scale(s.on_hand) || ',"available":' || trim_scale(s.on_hand - s.reserved)
        || ',"low_stock_threshold":' || trim_scale(coalesce(s.threshold, {DEFAULT_THRESHOLD}))
"""
"""SQL of the second part of a product's JSON: the fields that depend on stock."""
QUANTITIES = f"""
    SELECT {QUANTITY_FIELDS} FROM unnest($1::bigint[]) WITH ORDINALITY wanted(product_id, place)
    JOIN product_stock s USING (product_id) ORDER BY place
"""
"""The quantity fields of each of these products, in their order."""
_PAGE = f"""
    WITH {{page}}
    SELECT page.product_id, k.document, {QUANTITY_FIELDS}, page.first_key, page.second_key, counters.*
    FROM (SELECT row_number() OVER () AS place, * FROM page) page
    JOIN product_card k ON k.product_id = page.product_id
    JOIN product_stock s ON s.product_id = page.product_id
    CROSS JOIN ({COUNTERS}) counters
    ORDER BY page.place
"""
_SORTED_PAGE = """
    page AS MATERIALIZED (
        SELECT product_id, sort_key::text AS first_key, product_id AS second_key FROM (
            SELECT {product_id} AS product_id, {key} AS sort_key
            FROM {source} WHERE {where}
            ORDER BY {key} {direction}, {product_id} {direction}
            LIMIT {limit} {offset}
        ) sorted
    )
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its arguments. A row of a page: id, two parts of the item, two parts of its sort key, three counters."""

    text: str
    arguments: Arguments


def count_statement(query: ProductFilter, terms: SearchTerms | None) -> Statement:
    arguments = Arguments()
    search = None
    if terms is not None and terms.common:
        words, common = _add_terms(terms, arguments)
        search = _match_conditions(
            terms, f"(SELECT driving_query({words}, {common}))", f"(SELECT search_query({words}))"
        )
    selection = select_products(query, arguments, search=search)
    return Statement(f"SELECT count(*) FROM {selection.source} WHERE {selection.where}", arguments)


def page_statement(query: ProductFilter, terms: SearchTerms | None) -> Statement:
    arguments = Arguments()
    if terms is not None and query.sort == "relevance":
        page = _ranked_page(query, arguments, terms)
    else:
        page = _sorted_page(query, arguments)
    return Statement(_PAGE.format(page=page), arguments)


def _sorted_page(query: ProductFilter, arguments: Arguments) -> str:
    column, _, direction = query.sort.rpartition("_")
    table, key, python_type, type_name = _SORT_KEYS[column]
    selection = select_products(query, arguments, sorted_by=table)
    where, offset = selection.where, "" if query.page == 1 else f"OFFSET {query.offset}"
    position = query.position(query.sort, python_type, int)
    if position is not None:
        # Subqueries hide the values from the planner. With visible values a generic plan can look more expensive than
        # custom ones (many products of equal age, or few rows left), and PostgreSQL would plan each page again.
        last = f"(SELECT {arguments.add(position[0], type_name)}), (SELECT {arguments.add(position[1], 'bigint')})"
        where += f" AND ({key}, {selection.product_id}) {'>' if direction == 'asc' else '<'} ({last})"
        offset = ""
    return _SORTED_PAGE.format(
        product_id=selection.product_id,
        key=key,
        source=selection.source,
        where=where,
        direction=direction,
        limit=query.page_size + 1,
        offset=offset,
    )


def _add_terms(terms: SearchTerms, arguments: Arguments) -> tuple[str, str]:
    """The placeholders of the search text and of its common words."""
    return arguments.add(terms.text, "text"), arguments.add(list(terms.common), "text[]")


def _match_conditions(terms: SearchTerms, driving: str, whole: str) -> tuple[str, ...]:
    """With common words: use the index for the rarer ones (`driving`), then check the whole search on those rows."""
    if not terms.common:
        return (f"k.search @@ {whole}",)
    return (f"k.search @@ {driving}", f"ts_match_vq(k.search, {whole})")


def _ranked_page(query: ProductFilter, arguments: Arguments, terms: SearchTerms) -> str:
    words, common = _add_terms(terms, arguments)

    def select(*conditions: str) -> Selection:
        return select_products(query, arguments, sorted_by="k", search=conditions)

    # Where nearly everything matches, scan the newest products: the function `ts_match_vq` does what the operator `@@`
    # does, without its index.
    newest = "ORDER BY k.product_id DESC"
    names_condition = "ts_match_vq(k.search, {0})" if terms.is_broad_in_names else "k.search @@ {0}"
    names = select(names_condition.format("(TABLE name_words)"))
    matches = select(*_match_conditions(terms, "(TABLE driving)", "(TABLE terms)"))
    others = select("ts_match_vq(k.search, (TABLE terms))") if terms.is_broad else matches
    after_ranked, after_rest = _position_conditions(query, matches.product_id, arguments)
    limit, offset = query.page_size + 1, 0 if query.cursor else query.offset
    return RANKED_PAGE.format(
        words=words,
        common=common,
        product_id=matches.product_id,
        names=names,
        names_order=newest if terms.is_broad_in_names else "",
        others=others,
        others_order=newest if terms.is_broad else "",
        matches=matches,
        after_ranked=after_ranked,
        after_rest=after_rest,
        limit=limit,
        offset=offset,
        max_ranked=MAX_RANKED_MATCHES,
        # If whole words of names fill the page, other matches are not searched for.
        enough=MAX_RANKED_MATCHES if query.cursor else min(MAX_RANKED_MATCHES, offset + limit),
    )


def _position_conditions(query: ProductFilter, product_id: str, arguments: Arguments) -> tuple[str, str]:
    """Conditions for the rows after the cursor: among the ranked matches, and among the rest, whose rank is -1."""
    position = query.position("relevance", Decimal, int)
    if position is None:
        return "true", "true"
    rank, last = arguments.add(position[0], "numeric::real"), arguments.add(position[1], "bigint")
    return f"(rank, product_id) < ({rank}, {last})", f"({rank} >= 0 OR {product_id} < {last})"
