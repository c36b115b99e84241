"""Reports: tables that follow from the ledger and from what was sold and spent, as JSON, CSV or XLSX."""
