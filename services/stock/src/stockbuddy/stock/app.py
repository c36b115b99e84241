"""Composition root of the stock service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.jobs.definition import JobDefinition
from stockbuddy.chassis.http.jobs.routes import job_router
from stockbuddy.chassis.http.personal_data import PersonExport, personal_data_router
from stockbuddy.chassis.http.resources import Resources
from stockbuddy.chassis.http.service_definition import Service, ServiceParts
from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.contracts.stock import JobFinished, JobProgressed
from stockbuddy.stock.documents.counts.routes import router as counts
from stockbuddy.stock.documents.customers.routes import router as customers
from stockbuddy.stock.documents.expenses.routes import router as expenses
from stockbuddy.stock.documents.persons.export_queries import OF_USER
from stockbuddy.stock.documents.persons.routes import router as persons
from stockbuddy.stock.documents.purchase_orders.routes import router as purchase_orders
from stockbuddy.stock.documents.reservations.expiry import ReservationSweep, reclaim_expired
from stockbuddy.stock.documents.reservations.routes import router as reservations
from stockbuddy.stock.documents.sales.customer_routes import router as customer_sales
from stockbuddy.stock.documents.sales.reservation_routes import router as commitments
from stockbuddy.stock.documents.sales.routes import router as sales
from stockbuddy.stock.documents.sales.sales_metrics import count_sales
from stockbuddy.stock.documents.transfers.routes import router as transfers
from stockbuddy.stock.http.dependencies import StockServices
from stockbuddy.stock.insights.dashboard.routes import router as dashboard
from stockbuddy.stock.insights.forecasting.routes import router as forecasts
from stockbuddy.stock.insights.history.worker import closing_balance_worker
from stockbuddy.stock.insights.integrity.routes import router as integrity
from stockbuddy.stock.insights.levels.routes import router as level_lists
from stockbuddy.stock.insights.reordering.routes import rules as reorder_rules
from stockbuddy.stock.insights.reordering.routes import suggestions as reorder_suggestions
from stockbuddy.stock.insights.report_schedules.finish_runs import record_finished_run
from stockbuddy.stock.insights.report_schedules.routes import router as report_schedules
from stockbuddy.stock.insights.report_schedules.start_runs import schedule_worker
from stockbuddy.stock.insights.reports.routes import router as reports
from stockbuddy.stock.inventory.levels.routes import router as levels
from stockbuddy.stock.inventory.movements.routes import router as movements
from stockbuddy.stock.inventory.posting_context import ReservationLimits
from stockbuddy.stock.inventory.warehouses.commands import ensure_default_warehouse
from stockbuddy.stock.inventory.warehouses.routes import router as warehouses
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseCache
from stockbuddy.stock.ledger import GroupCommitter, Ledger
from stockbuddy.stock.ledger.traced_commit import TracedGroupCommitter
from stockbuddy.stock.replicas.products.lookup import ProductLookup
from stockbuddy.stock.replicas.suppliers import SupplierLookup
from stockbuddy.stock.replicas.waiter import ReplicaWaiter
from stockbuddy.stock.settings import StockSettings
from stockbuddy.stock.subscriptions import CONSUMERS


@asynccontextmanager
async def lifespan(resources: Resources) -> AsyncIterator[ServiceParts]:
    database = resources.database
    await ensure_default_warehouse(database)
    waiter = ReplicaWaiter(database)
    async with _group_committer(resources).running() as committer:
        services = StockServices(
            database=database,
            ledger=Ledger(database, committer),
            products=ProductLookup(database, waiter),
            suppliers=SupplierLookup(database, waiter),
            warehouses=WarehouseCache(database),
            reservation_limits=_reservation_limits(resources.settings),
        )
        sweep = ReservationSweep(database, services.ledger)
        workers = [sweep.worker(), closing_balance_worker(database), schedule_worker(database)]
        yield ServiceParts(services, workers=workers)


def _group_committer(resources: Resources) -> GroupCommitter:
    if resources.tracing is None:
        return GroupCommitter(resources.database, reclaim_expired, count_sales)
    return TracedGroupCommitter(resources.database, reclaim_expired, count_sales, resources.tracing)


def _reservation_limits(settings: ServiceSettings) -> ReservationLimits:
    assert isinstance(settings, StockSettings)
    return ReservationLimits(settings.max_reservation_seconds, settings.max_reserved_share)


SERVICE = Service(
    name="stock",
    title="Stockbuddy stock",
    routers=[
        warehouses,
        movements,
        levels,
        level_lists,
        transfers,
        counts,
        reservations,
        commitments,
        sales,
        customers,
        customer_sales,
        persons,
        purchase_orders,
        expenses,
        forecasts,
        reorder_rules,
        reorder_suggestions,
        reports,
        report_schedules,
        dashboard,
        integrity,
        job_router("stock"),
        personal_data_router(PersonExport("user", Permission.USER_MANAGE, OF_USER)),
    ],
    consumers=CONSUMERS,
    jobs=JobDefinition(progressed=JobProgressed, finished=JobFinished, on_finished=record_finished_run),
    lifespan=lifespan,
    texts=Path(__file__).with_name("texts.toml"),
    document=Path(__file__).with_name("openapi.json"),
)
MIGRATIONS = migrations_of(__file__)

__all__ = ["MIGRATIONS", "SERVICE", "StockSettings"]
