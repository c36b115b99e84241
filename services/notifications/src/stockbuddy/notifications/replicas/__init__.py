"""Data replicas of users, company, products and warehouses."""
