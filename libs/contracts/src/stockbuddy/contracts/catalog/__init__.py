"""Events published by catalog."""

from stockbuddy.contracts.catalog.categories import (
    CategoryCreated,
    CategoryDeleted,
    CategoryRepublished,
    CategoryState,
    CategoryUpdated,
)
from stockbuddy.contracts.catalog.imports import ImportFinished
from stockbuddy.contracts.catalog.jobs import JobFinished, JobProgressed
from stockbuddy.contracts.catalog.products import (
    ProductCreated,
    ProductDeleted,
    ProductQuantityImported,
    ProductRepublished,
    ProductRestored,
    ProductState,
    ProductUpdated,
)
from stockbuddy.contracts.catalog.suppliers import SupplierCreated, SupplierDeleted, SupplierState, SupplierUpdated

__all__ = [
    "CategoryCreated",
    "CategoryDeleted",
    "CategoryRepublished",
    "CategoryState",
    "CategoryUpdated",
    "ImportFinished",
    "JobFinished",
    "JobProgressed",
    "ProductCreated",
    "ProductDeleted",
    "ProductQuantityImported",
    "ProductRepublished",
    "ProductRestored",
    "ProductState",
    "ProductUpdated",
    "SupplierCreated",
    "SupplierDeleted",
    "SupplierState",
    "SupplierUpdated",
]
