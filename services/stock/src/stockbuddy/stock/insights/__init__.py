"""What is derived from the ledger: reports, dashboard, forecasts, history, reordering, integrity."""
