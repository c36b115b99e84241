"""Replicas of other services' data: stock levels, warehouses and system settings. The newest version of each row wins,
in whatever order and however often its events arrive."""
