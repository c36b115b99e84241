"""Events published by catalog."""

from stockbuddy.contracts.catalog.categories import CategoryCreated, CategoryDeleted, CategoryState, CategoryUpdated
from stockbuddy.contracts.catalog.imports import ImportFinished
from stockbuddy.contracts.catalog.products import (
    ProductCreated,
    ProductDeleted,
    ProductQuantityImported,
    ProductRestored,
    ProductState,
    ProductUpdated,
)
from stockbuddy.contracts.catalog.suppliers import SupplierCreated, SupplierDeleted, SupplierState, SupplierUpdated

__all__ = [
    "CategoryCreated",
    "CategoryDeleted",
    "CategoryState",
    "CategoryUpdated",
    "ImportFinished",
    "ProductCreated",
    "ProductDeleted",
    "ProductQuantityImported",
    "ProductRestored",
    "ProductState",
    "ProductUpdated",
    "SupplierCreated",
    "SupplierDeleted",
    "SupplierState",
    "SupplierUpdated",
]
