"""The ledger: the only way in which stock changes, whatever document it comes from.

A new kind of document needs three things. A `Posting`: its entries (level, change, movement type), and a pure
`build_changes(result)` that turns what they did into the document's rows, its events and the answer. A `VersionCheck` for each
existing document that the decision rests on. And one call:

    async def receive(order_id: int, body: Receipt) -> Posting:      # reads, validates, decides
        order = await queries.order(session, order_id)
        def build_changes(result: PostingResult) -> DocumentChanges:                  # pure: called while the levels are locked
            return DocumentChanges(StoredResponse(200, json), updates={"purchase_order": [{"id": order.id, "status": ...}]},
                              events=[PurchaseReceived(...)])
        return Posting(entries, build_changes, key, checks=[VersionCheck("purchase_order", order.id, order.version)],
                       document=f"purchase_order/{order.id}")

    answer = await ledger.submit(key, lambda: receive(order_id, body))

- The posting is accepted or refused as a whole, with everything that `build_changes` returned, in one transaction.
- A guarded table has `id` and `version`; the ledger locks the row, checks the version and writes the next one. When
  it has changed, `submit` calls your function again. Update guarded rows only (and rows that they own).
- New rows get ids that `new_ids={"sale": 1, "sale_line": 3}` asks for, found in `result.ids`; `inserts` are written
  in the order of the mapping, so referenced tables come first.
- A posting with no entries is welcome: a document's step that moves nothing (and yet must happen once).
- Holds are entries with `reserved`; who takes what was held gives both changes in one entry.
"""

from stockbuddy.stock.ledger.group_commit import GroupCommitter, Reclaim
from stockbuddy.stock.ledger.ledger import Ledger
from stockbuddy.stock.ledger.movement_types import ADDING, TAKING, MovementType, signed_quantity
from stockbuddy.stock.ledger.postings import (
    ZERO,
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
    "ADDING",
    "TAKING",
    "ZERO",
    "Change",
    "DocumentChanges",
    "Entry",
    "GroupCommitter",
    "Ledger",
    "LevelKey",
    "MovementType",
    "Posting",
    "PostingResult",
    "Reclaim",
    "Row",
    "Shortage",
    "VersionCheck",
    "row_of",
    "signed_quantity",
]
