"""The dashboard: current totals, sales of the last 30 days, top products, recent movements."""
