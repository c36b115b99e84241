"""Imports from other shop systems, and the opening stock that a product is created with."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    """
    ALTER TABLE import_job ADD COLUMN options jsonb, ADD COLUMN system text, ADD COLUMN mapping jsonb,
        ADD COLUMN skipped integer NOT NULL DEFAULT 0
    """,
    """
    CREATE TABLE external_product (
        external_id text CONSTRAINT external_product_pkey PRIMARY KEY,
        product_id bigint NOT NULL CONSTRAINT external_product_product REFERENCES product
    )
    """,
    "CREATE INDEX external_product_by_product ON external_product (product_id)",
    "ALTER TABLE product ADD COLUMN opening_quantity numeric(15, 3)",
)
COMMENTS = {
    "import_job": {
        "options": "How the file is read and applied (ImportOptions); null for jobs of earlier releases.",
        "system": "The shop system whose export the file is.",
        "mapping": "The columns of the file with the fields that they have, null for ignored ones.",
        "skipped": "Rows that hold no product of their own, such as further images.",
    },
    "external_product": {
        "": "Ids that imported products have in other shop systems, to which later files refer.",
        "external_id": "The shop system and its id, such as prestashop:17.",
        "product_id": "The product.",
    },
    "product": {
        "opening_quantity": "Opening stock given at its creation, which stock posts once; null for none.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.get_bind().exec_driver_sql(statement)
