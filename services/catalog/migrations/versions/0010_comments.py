"""Comments on the tables and columns of the service, for readers of the database."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0010"
down_revision = "0009"

RECORD = {
    "owner_id": "User who created the row.",
    "version": "Number that grows by one with each change; the value of ETag and If-Match.",
    "created_at": "Time of creation.",
    "updated_at": "Time of the last change.",
    "deleted_at": "Time of deletion; the row is kept for its history.",
}
COMMENTS = {
    "product": {
        "": "Products: articles of the catalog, including deleted ones.",
        "id": "Id of the product.",
        "sku": "Product code, unique among products that are not deleted, without regard to case.",
        "name": "Name for display.",
        "description": "Free text.",
        "category_id": "Its category.",
        "supplier_id": "Its supplier.",
        "unit_price": "Sales price per unit.",
        "cost_price": "Purchase price per unit.",
        "unit_of_measure": "Unit for display, such as kg.",
        "barcodes": "Its barcodes in order; the first one is printed.",
        "low_stock_threshold": "Quantity from which stock is low; null means the default of the system settings.",
        "is_active": "False if deactivated; the product stays in lists.",
        "image_digest": "Digest of its image, part of the image's URL and file names.",
        **RECORD,
    },
    "category": {
        "": "Categories, including deleted ones.",
        "id": "Id of the category.",
        "name": "Name, unique among categories that are not deleted, without regard to case.",
        "parent_id": "Category above it; null at the top.",
        "search": "Words of the name, for searches of products by category.",
        **RECORD,
    },
    "supplier": {
        "": "Suppliers, including deleted ones.",
        "id": "Id of the supplier.",
        "name": "Name; several suppliers may have the same.",
        "contact_email": "E-mail address.",
        "phone_number": "Phone number.",
        "address": "Postal address.",
        "lead_time_days": "Days from an order to its delivery.",
        **RECORD,
    },
    "barcode": {
        "": "The product of each barcode, maintained by triggers on product; makes barcodes unique.",
        "code": "Barcode.",
        "product_id": "The product, which is not deleted.",
    },
    "product_card": {
        "": "What lists and searches read of a product, maintained by triggers on product, category and supplier.",
        "product_id": "The product.",
        "document": "JSON members of the product's response, without braces and stock.",
        "search": "Search vector: words of the name (A), codes (B), category (C) and description (D); null if deleted.",
    },
    "product_stock": {
        "": "Totals of stock_level per product, for sorting and filtering lists.",
        "product_id": "The product, which may not have been created yet.",
        "not_deleted": "Whether the product exists and is not deleted; maintained by a trigger on product.",
        "threshold": "The product's own low-stock threshold; maintained by a trigger on product.",
        "on_hand": "Sum over all warehouses and lots.",
        "reserved": "Sum over all warehouses and lots.",
    },
    "change_counter": {
        "": "Number of products and of changes, in shards so that concurrent writers do not wait for each other.",
        "shard": "Number of the shard; totals are the sums over all shards.",
        "product_count": "Number of products that are not deleted.",
        "product_changes": "Grows with each change that can affect a list of products.",
        "stock_changes": "Grows with each change that can affect a list filtered by stock.",
    },
    "product_image": {
        "": "Images of products; the files are in the image store.",
        "product_id": "The product.",
        "digest": "First 32 hexadecimal digits of the SHA-256 of the file.",
        "content_type": "Media type of the original file.",
        "width": "Width in pixels, before rotation by EXIF data.",
        "height": "Height in pixels, before rotation by EXIF data.",
        "size_bytes": "Size of the original file.",
        "updated_at": "Time of the upload.",
    },
    "warehouse": {
        "": "Data replica of the stock service's warehouses.",
        "id": "Id of the warehouse.",
        "version": "Version of the last applied event.",
        "code": "Short code.",
        "name": "Name for display.",
        "kind": "store or warehouse.",
        "is_default": "Whether it is the default warehouse.",
        "deleted": "Whether it was deleted.",
    },
    "stock_level": {
        "": "Data replica of the stock service's levels.",
        "product_id": "The product, which may not have been created yet.",
        "warehouse_id": "The warehouse, which may not have been replicated yet.",
        "lot": "Lot; 0 for stock without a lot.",
        "version": "Version of the last applied event.",
        "on_hand": "Quantity on hand.",
        "reserved": "Reserved quantity.",
    },
    "setting": {
        "": "Data replica of the system settings, one row.",
        "only_row": "Limits the table to one row.",
        "version": "Version of the last applied event.",
        "default_low_stock_threshold": "Threshold of products without their own.",
    },
    "import_job": {
        "": "Import jobs with their leases and progress.",
        "id": "Id of the import.",
        "state": "queued, running, finished or failed.",
        "dry_run": "Whether the job only reports what it would do.",
        "format": "csv or xlsx.",
        "file_name": "Name of the uploaded file.",
        "columns": "Known columns of the file, in its order.",
        "total": "Number of rows; null until the file has been read.",
        "reached": "Number of the last processed row.",
        "done": "Processed rows.",
        "created": "Rows that created a product.",
        "updated": "Rows that changed a product.",
        "unchanged": "Rows that changed nothing.",
        "failed": "Rows with a problem.",
        "problem": "Why the whole import failed.",
        "actor_id": "User who started the import; owns the products that it creates.",
        "actor_name": "User name of the actor.",
        "client_ip": "Address of the client, for events.",
        "request_id": "Request that started the import, for events.",
        "traceparent": "Trace context of that request, for events.",
        "runner": "Random id of the lease holder.",
        "lease_until": "End of the lease; then another replica may continue the job.",
        "attempts": "Claims since the last progress.",
        "created_at": "Time of the upload.",
        "started_at": "Time of the first claim.",
        "finished_at": "When it finished or failed.",
    },
    "import_file": {
        "": "Uploaded files until they are read into import_row.",
        "import_id": "The import job.",
        "content": "The file.",
    },
    "import_row": {
        "": "Rows of import files; after the end of a job only those with a problem.",
        "import_id": "The import job.",
        "number": "Row number in the file; the header is 1.",
        "cells": "Text of the known columns.",
        "problem": "Why the row was not imported.",
    },
}


def upgrade() -> None:
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
