"""The ledger: the only way to change stock, whatever the document.

A document submits a `Posting`: its entries (level, change, movement type), a `VersionCheck` for every existing document
that it is based on, and a pure function `build_changes` that turns the result of the entries into the document's rows,
its events and the response:

    async def receive_order(context, order_id, body) -> Posting:         # load, validate, plan the entries
        order = await load_order(context, order_id)

        def build_changes(result: PostingResult) -> DocumentChanges:     # called while the levels are locked
            return DocumentChanges(StoredResponse(200, json), updates={"purchase_order": [{"id": order.id, ...}]},
                                   events=[PurchaseReceived(...)])

        return Posting(entries, build_changes, context.authority(Purpose.PURCHASE), context.key,
                       checks=[VersionCheck("purchase_order", order.id, order.version)])

    response = await ledger.submit(key, lambda: receive_order(context, order_id, body))

- A posting names its authority: every change of a level needs the caller's permission for that purpose (ADR 14).
- A posting is accepted or refused as a whole, with everything that `build_changes` returns, in one transaction.
- A checked table has `id` and `version`: the ledger locks the row, compares the version and writes the next one. If it
  has changed, `submit` plans again. Update checked rows only (and rows that belong to them).
- New rows get the ids that `new_ids={"sale": 1, "sale_line": 3}` asks for, from `result.ids`. `inserts` are written in
  the order of the mapping: referenced tables first.
- A posting may have no entries, for a state change that moves no stock but must be idempotent.
- A reservation changes `reserved` only; consuming it changes `on_hand` and `reserved` in one entry.
"""

from stockbuddy.stock.ledger.authority import Authority, Purpose, authority_of
from stockbuddy.stock.ledger.costing import ZERO, share_of
from stockbuddy.stock.ledger.group_commit import GroupCommitter, Reclaim
from stockbuddy.stock.ledger.ledger import Ledger, Plan, Submission
from stockbuddy.stock.ledger.movement_types import MovementType, signed_quantity
from stockbuddy.stock.ledger.postings import (
    Change,
    DocumentChanges,
    Entry,
    LevelKey,
    Posting,
    PostingResult,
    Row,
    Shortage,
    VersionCheck,
    row_of,
)

__all__ = [
    "ZERO",
    "Authority",
    "Change",
    "DocumentChanges",
    "Entry",
    "GroupCommitter",
    "Ledger",
    "LevelKey",
    "MovementType",
    "Plan",
    "Posting",
    "PostingResult",
    "Purpose",
    "Reclaim",
    "Row",
    "Shortage",
    "Submission",
    "VersionCheck",
    "authority_of",
    "row_of",
    "share_of",
    "signed_quantity",
]
