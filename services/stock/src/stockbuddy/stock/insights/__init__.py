"""Derived from inventory and documents: lists of levels, history, reports, dashboard, forecasts, reordering."""
