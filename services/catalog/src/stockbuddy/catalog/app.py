"""The composition root: every part of the service on one screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from stockbuddy.catalog.barcodes.routes import router as barcodes
from stockbuddy.catalog.categories.routes import router as categories
from stockbuddy.catalog.exports.routes import router as exports
from stockbuddy.catalog.images.routes import router as images
from stockbuddy.catalog.images.store import open_store
from stockbuddy.catalog.imports.routes import router as imports
from stockbuddy.catalog.imports.runner import run_imports
from stockbuddy.catalog.listing.pages import Totals
from stockbuddy.catalog.products.routes import router as products
from stockbuddy.catalog.readers import Readers
from stockbuddy.catalog.settings import CatalogSettings
from stockbuddy.catalog.subscriptions import CONSUMERS
from stockbuddy.catalog.suppliers.routes import router as suppliers
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.http.app import Service

__all__ = ["MIGRATIONS", "SERVICE", "CatalogSettings"]

MIGRATIONS = migrations_of(__file__)


@asynccontextmanager
async def open_catalogue(app: FastAPI) -> AsyncIterator[None]:
    app.state.totals = Totals()
    app.state.store = open_store(app.state.settings)
    app.state.import_queued = asyncio.Event()
    app.state.decoding = asyncio.Semaphore(1)
    app.state.readers = Readers(app.state.settings.database_url, SERVICE.name, size=app.state.settings.reader_pool_size)
    try:
        yield
    finally:
        await app.state.readers.close()


SERVICE = Service(
    name="catalog",
    title="Stockbuddy catalogue",
    routers=[products, exports, imports, barcodes, images, categories, suppliers],
    consumers=CONSUMERS,
    background=[run_imports],
    lifespan=open_catalogue,
)
