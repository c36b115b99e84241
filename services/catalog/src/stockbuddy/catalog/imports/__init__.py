"""Import jobs: products from a CSV or XLSX file."""
