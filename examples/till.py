"""A till in a terminal: type `SKU QUANTITY`; it sells without a connection, and delivers the sales when there is one.

pip install stockbuddy-client; then STOCKBUDDY_URL=… STOCKBUDDY_API_KEY=sbk_… python examples/till.py till.db
"""

import os
import sys
import threading
from decimal import Decimal, InvalidOperation

from stockbuddy_client import ApiKey, Client
from stockbuddy_client.till import Till

DELIVERY_INTERVAL_SECONDS = 30


def deliver_until(closed: threading.Event, sold: threading.Event, till: Till) -> None:
    """Deliver after each sale, from time to time while sales wait, and what is left when the till closes."""
    while True:
        is_closing = closed.is_set()
        stopped_by = till.deliver().stopped_by
        if stopped_by is not None:
            print(f"offline, sales are kept: {stopped_by}", file=sys.stderr, flush=True)
        if is_closing or (stopped_by is not None and closed.is_set()):
            return
        sold.wait(DELIVERY_INTERVAL_SECONDS)
        sold.clear()


def main() -> None:
    client = Client(
        os.environ["STOCKBUDDY_URL"], credentials=ApiKey(os.environ["STOCKBUDDY_API_KEY"]), timeout_seconds=10
    )
    closed, sold = threading.Event(), threading.Event()
    with client, Till(client, sys.argv[1]) as till:
        delivery = threading.Thread(target=deliver_until, args=(closed, sold, till))
        delivery.start()
        for line in sys.stdin:
            try:
                sku, quantity = line.split()
                sale = till.sell({"sku": sku, "quantity": Decimal(quantity)})
            except (ValueError, InvalidOperation):
                print("type: SKU QUANTITY", flush=True)
                continue
            print(f"receipt {sale.reference}", flush=True)
            sold.set()
        closed.set()
        sold.set()
        delivery.join()
        refused = [f"{sale.reference} ({sale.result['code']})" for sale in till.sales("refused")]
        waiting = len(till.sales("waiting"))
        print(f"waiting: {waiting}; refused: {', '.join(refused) or 'none'}")
        sys.exit(waiting > 0)


if __name__ == "__main__":
    main()
