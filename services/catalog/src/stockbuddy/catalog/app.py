"""The composition root of the catalog: routers, consumers, workers and the services that requests use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from stockbuddy.catalog.barcodes.routes import router as barcodes
from stockbuddy.catalog.categories.routes import router as categories
from stockbuddy.catalog.dependencies import CatalogServices
from stockbuddy.catalog.exports.routes import router as exports
from stockbuddy.catalog.file_store import open_file_store
from stockbuddy.catalog.images.routes import router as images
from stockbuddy.catalog.imports.personal_data_queries import OF_USER
from stockbuddy.catalog.imports.routes import router as imports
from stockbuddy.catalog.imports.runner import import_workers
from stockbuddy.catalog.products.routes import router as products
from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.replica_reads import ReplicaConnections
from stockbuddy.catalog.search.lookups import ProductLookups
from stockbuddy.catalog.search.pages import ProductPages
from stockbuddy.catalog.settings import CatalogSettings
from stockbuddy.catalog.signed_urls import ImageUrls
from stockbuddy.catalog.subscriptions import CONSUMERS
from stockbuddy.catalog.suppliers.routes import router as suppliers
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.jobs.definition import JobDefinition
from stockbuddy.chassis.http.jobs.routes import job_router
from stockbuddy.chassis.http.personal_data import PersonExport, personal_data_router
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.postgres.read_replica import ReadReplica
from stockbuddy.contracts.catalog import JobFinished, JobProgressed

__all__ = ["MIGRATIONS", "SERVICE", "CatalogSettings"]

MIGRATIONS = migrations_of(__file__)

# A decoded image takes many times the memory of its file.
MAX_CONCURRENT_DECODINGS = 1
# Each is a process for up to 15 s of CPU time.
MAX_CONCURRENT_HEADERS = 4


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[ServiceParts]:
    settings, database = cast(CatalogSettings, resources.settings), resources.database
    read_pool = ReadPool(settings.database_url, SERVICE.name, size=settings.read_pool_size, pooler=settings.pooler)
    replica = _replica_connections(resources)
    services = CatalogServices(
        database=database,
        read_pool=read_pool,
        product_pages=ProductPages(read_pool, replica),
        product_lookups=ProductLookups(read_pool, replica),
        image_files=open_file_store(settings),
        image_urls=ImageUrls(database),
        image_decoding=asyncio.Semaphore(MAX_CONCURRENT_DECODINGS),
        header_reading=asyncio.Semaphore(MAX_CONCURRENT_HEADERS),
    )
    try:
        yield ServiceParts(services, workers=import_workers(database, settings.import_lease_seconds))
    finally:
        await read_pool.close()
        if replica is not None:
            await replica.close()


def _replica_connections(resources: Resources) -> ReplicaConnections | None:
    settings, reads = cast(CatalogSettings, resources.settings), resources.reads
    if settings.database_read_url is None or not isinstance(reads, ReadReplica):
        return None
    return ReplicaConnections(
        reads,
        settings.database_read_url,
        SERVICE.name,
        size=settings.read_pool_size,
        pooler=settings.read_pooler,
    )


jobs = job_router("catalog")
personal_data = personal_data_router(PersonExport("user", Permission.USER_MANAGE, OF_USER))

SERVICE = Service(
    name="catalog",
    title="Stockbuddy catalog",
    routers=[products, exports, imports, barcodes, images, categories, suppliers, jobs, personal_data],
    consumers=CONSUMERS,
    jobs=JobDefinition(progressed=JobProgressed, finished=JobFinished),
    lifespan=lifespan,
    texts=Path(__file__).with_name("texts.toml"),
    document=Path(__file__).with_name("openapi.json"),
)
