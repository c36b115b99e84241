"""Publishes states that stock's copies lack: the parents of categories, and that products are inactive.

Queues that exist receive them from the outbox, one that stock declares later from the archive: the services may be
upgraded in any order.
"""

from alembic import op
from sqlalchemy import text

from stockbuddy.chassis.messaging import former_outbox
from stockbuddy.contracts.catalog import CategoryRepublished, ProductRepublished

revision = "0017"
down_revision = "0016"

BATCH_ROWS = 1_000
_CATEGORIES = """
    SELECT id AS category_id, version, name, parent_id, owner_id, deleted_at IS NOT NULL AS deleted
    FROM category WHERE id > :after ORDER BY id LIMIT :rows
"""
_INACTIVE_PRODUCTS = """
    SELECT p.id AS product_id, p.version, p.sku, p.name, p.description, p.category_id, c.name AS category,
           p.supplier_id, p.owner_id, p.unit_price, p.cost_price, p.unit_of_measure, p.barcodes, p.low_stock_threshold,
           p.is_active, p.deleted_at IS NOT NULL AS deleted, p.created_at, p.updated_at
    FROM product p LEFT JOIN category c ON c.id = p.category_id
    WHERE p.id > :after AND NOT p.is_active ORDER BY p.id LIMIT :rows
"""


def upgrade() -> None:
    _republish(CategoryRepublished, _CATEGORIES, "category_id")
    _republish(ProductRepublished, _INACTIVE_PRODUCTS, "product_id")


def _republish(event_type: type[CategoryRepublished | ProductRepublished], states: str, key: str) -> None:
    connection = op.get_bind()
    after = 0
    while rows := connection.execute(text(states), {"after": after, "rows": BATCH_ROWS}).mappings().all():
        former_outbox.insert(connection, [event_type.model_validate(row) for row in rows])
        after = rows[-1][key]
