"""Metadata of products' images; the files are in the image store."""

from alembic import op

revision = "0002"
down_revision = "0001"

IMAGES = """
    CREATE TABLE product_image (
        product_id bigint CONSTRAINT product_image_pkey PRIMARY KEY
            CONSTRAINT product_image_product REFERENCES product,
        digest text NOT NULL,
        content_type text NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        size_bytes bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(IMAGES)
