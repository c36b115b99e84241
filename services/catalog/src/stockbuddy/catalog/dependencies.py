"""The services that the catalog's lifespan opens and its requests use."""

import asyncio
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from stockbuddy.catalog.file_store import FileStore
from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.search.lookups import ProductLookups
from stockbuddy.catalog.search.pages import ProductPages
from stockbuddy.catalog.signed_urls import ImageUrls
from stockbuddy.chassis.postgres.database import Database


@dataclass(frozen=True, slots=True)
class CatalogServices:
    """Opened once per process; see `app.lifespan`."""

    database: Database
    read_pool: ReadPool
    product_pages: ProductPages
    product_lookups: ProductLookups
    image_files: FileStore
    image_urls: ImageUrls
    image_decoding: asyncio.Semaphore
    header_reading: asyncio.Semaphore


def get_services(request: Request) -> CatalogServices:
    return cast(CatalogServices, request.app.state.services)
