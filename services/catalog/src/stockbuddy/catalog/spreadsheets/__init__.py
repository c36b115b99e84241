"""Tables of products as files, CSV and XLSX: read, written, and safe to open in a spreadsheet."""
