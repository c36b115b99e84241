"""Products: articles with a SKU, prices and barcodes."""
