"""The ledger: the only way in which stock changes, whatever document it comes from.

A new kind of document needs three things. A `Posting`: its entries (level, change, movement type), and a pure
`conclude(effect)` that turns what they did into the document's rows, its events and the answer. A `Guard` for each
existing document that the decision rests on. And one call:

    async def receive(order_id: int, body: Receipt) -> Posting:      # reads, validates, decides
        order = await queries.order(session, order_id)
        def conclude(effect: Effect) -> Conclusion:                  # pure: called while the levels are locked
            return Conclusion(Answer(200, json), updates={"purchase_order": [{"id": order.id, "status": ...}]},
                              events=[PurchaseReceived(...)])
        return Posting(entries, conclude, key, guards=[Guard("purchase_order", order.id, order.version)],
                       document=f"purchase_order/{order.id}")

    answer = await ledger.submit(key, lambda: receive(order_id, body))

- The posting is accepted or refused as a whole, with everything that `conclude` returned, in one transaction.
- A guarded table has `id` and `version`; the ledger locks the row, checks the version and writes the next one. When
  it has changed, `submit` calls your function again. Update guarded rows only (and rows that they own).
- New rows get ids that `new_ids={"sale": 1, "sale_line": 3}` asks for, found in `effect.ids`; `inserts` are written
  in the order of the mapping, so referenced tables come first.
- A posting with no entries is welcome: a document's step that moves nothing (and yet must happen once).
- Holds are entries with `reserved`; who takes what was held gives both changes in one entry.
"""

from stockbuddy.stock.ledger.committer import Committer, Reclaim
from stockbuddy.stock.ledger.movement_types import ADDING, TAKING, MovementType, signed_quantity
from stockbuddy.stock.ledger.postings import (
    ZERO,
    Change,
    Conclusion,
    Effect,
    Entry,
    Guard,
    LevelKey,
    Posting,
    Row,
    Shortage,
    row_of,
)
from stockbuddy.stock.ledger.submission import Ledger

__all__ = [
    "ADDING",
    "TAKING",
    "ZERO",
    "Change",
    "Committer",
    "Conclusion",
    "Effect",
    "Entry",
    "Guard",
    "Ledger",
    "LevelKey",
    "MovementType",
    "Posting",
    "Reclaim",
    "Row",
    "Shortage",
    "row_of",
    "signed_quantity",
]
