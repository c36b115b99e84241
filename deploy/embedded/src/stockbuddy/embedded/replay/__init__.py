"""Imports a retailer's invoice history through the public API.

`history` (parse the file, reject lines) → `cancellations` (match them to sales) → `products` (opening stock) →
`importer` (API calls) → `report`.
"""
