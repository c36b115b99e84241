"""Demand forecasts from past demand, also for products that sell on few days."""
