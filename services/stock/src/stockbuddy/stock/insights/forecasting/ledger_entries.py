"""Unpacks the rows of the ledger into arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.queries import LedgerRows
from stockbuddy.stock.insights.forecasting.series import Floats, Integers

RECORD = np.dtype([("movement", ">i8"), ("product", ">i8"), ("day", ">i4"), ("quantity", ">f8")])
"""A record of `LedgerRows`. `movement`: its id, 0 without one; `day`: 1 is the first, 0 none."""
KINDS = ("demand", "other", "stock", "reduced")

Key = tuple[int, int | None]
"""A product and a warehouse; None: all of its warehouses together."""
ALL_WAREHOUSES = -1


@dataclass(frozen=True, slots=True)
class Entries:
    """Arrays of equal length. `day`: 0 is the first; `column`: the index of the entry's key."""

    day: Integers
    column: Integers
    quantity: Floats

    def by_day(self, days: int, columns: int) -> Floats:
        """Sums of the quantities (days, columns)."""
        sums = np.bincount(self.day * columns + self.column, self.quantity, days * columns)
        return sums.astype(np.float64).reshape(days, columns)


def unpack(rows: Sequence[LedgerRows], keys: Sequence[Key]) -> Mapping[str, Entries]:
    """The entries of each of KINDS that belong to a key and were not reversed."""
    products = np.array([product_id for product_id, _ in keys], np.int64)
    warehouses = np.array([ALL_WAREHOUSES if one is None else one for _, one in keys], np.int64)
    by_product = np.argsort(products, kind="stable")
    none = np.zeros(0, np.int64)
    records = [(part, np.frombuffer(part.records, RECORD)) for part in rows]
    reversed_ids = np.concatenate([none, *(found["movement"] for part, found in records if part.kind == "reversed")])
    entries = {kind: [Entries(none, none, np.zeros(0))] for kind in KINDS}
    for part, found in records:
        if part.kind == "reversed":
            continue
        columns = by_product[np.isin(warehouses[by_product], (part.warehouse_id, ALL_WAREHOUSES))]
        column = _find(products[columns], columns, found["product"].astype(np.int64))
        is_wanted = (column >= 0) & ~np.isin(found["movement"], reversed_ids)
        chosen = found[is_wanted]
        entries[part.kind].append(
            Entries(chosen["day"].astype(np.int64) - 1, column[is_wanted], chosen["quantity"].astype(np.float64))
        )
    return {kind: _joined(parts) for kind, parts in entries.items()}


def _find(known: Integers, columns: Integers, products: Integers) -> Integers:
    """The column of each product, -1 if it is not among those `known`, which are sorted."""
    if not len(known):
        return np.full(len(products), -1)
    places = np.minimum(np.searchsorted(known, products), len(known) - 1)
    found: Integers = np.where(known[places] == products, columns[places], -1)
    return found


def _joined(parts: Sequence[Entries]) -> Entries:
    return Entries(
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.quantity for part in parts]),
    )
