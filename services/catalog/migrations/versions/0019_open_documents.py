"""Replicate stock's open purchase orders and transfers. A new queue receives those changed within the last week from
stock's archive; older ones follow with their next change.
"""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    """
    CREATE TABLE open_document (
        document text NOT NULL,
        id bigint NOT NULL,
        version integer NOT NULL,
        number text NOT NULL,
        product_ids bigint[] NOT NULL,
        PRIMARY KEY (document, id)
    )
    """,
    "CREATE INDEX open_document_by_product ON open_document USING gin (product_ids)",
)
COMMENTS = {
    "open_document": {
        "": "Data replica of stock's purchase orders and transfers.",
        "document": "Kind of the document: purchase_order or stock_transfer.",
        "id": "Id of the document in stock.",
        "version": "Version of the last change applied.",
        "number": "The number that people see, such as PO-000001.",
        "product_ids": "Products that the document still waits for; none once it is completed.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
