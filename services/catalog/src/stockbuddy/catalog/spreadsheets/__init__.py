"""Tables of products as CSV and XLSX files."""
