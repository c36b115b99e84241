"""The durable queue of sales for tills: `Till`, or `AsyncTill` with the same methods to await."""

from stockbuddy_client._async.till import AsyncTill
from stockbuddy_client._sync.till import Till
from stockbuddy_client.sale_queue import Delivery, NotQueued, QueuedSale, TillInUse

__all__ = ["AsyncTill", "Delivery", "NotQueued", "QueuedSale", "Till", "TillInUse"]
