"""Reports on inventory, sales and profit, as JSON, CSV or XLSX."""
