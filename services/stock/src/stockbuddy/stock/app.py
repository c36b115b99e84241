"""The stock service, put together."""

from stockbuddy.chassis.postgres.migrations import migrations_of
from stockbuddy.chassis.http.app import Service
from stockbuddy.stock.counts.routes import router as counts
from stockbuddy.stock.customers.routes import router as customers
from stockbuddy.stock.dashboard.routes import router as dashboard
from stockbuddy.stock.desk import opening
from stockbuddy.stock.expenses.routes import router as expenses
from stockbuddy.stock.forecasting.routes import router as forecasts
from stockbuddy.stock.history.closing import keep_closing
from stockbuddy.stock.integrity.routes import router as integrity
from stockbuddy.stock.levels.routes import router as levels
from stockbuddy.stock.movements.routes import router as movements
from stockbuddy.stock.purchase_orders.routes import router as purchase_orders
from stockbuddy.stock.reordering.routes import rules as reorder_rules
from stockbuddy.stock.reordering.routes import suggestions as reorder_suggestions
from stockbuddy.stock.reports.routes import router as reports
from stockbuddy.stock.reservations.expiry import reclaim_overdue, sweep_overdue
from stockbuddy.stock.reservations.routes import router as reservations
from stockbuddy.stock.sales.customer_routes import router as customer_sales
from stockbuddy.stock.sales.reservation_routes import router as commitments
from stockbuddy.stock.sales.routes import router as sales
from stockbuddy.stock.settings import StockSettings
from stockbuddy.stock.subscriptions import CONSUMERS
from stockbuddy.stock.transfers.routes import router as transfers
from stockbuddy.stock.warehouses.routes import router as warehouses

SERVICE = Service(
    name="stock",
    title="Stockbuddy stock",
    routers=[
        warehouses,
        movements,
        levels,
        transfers,
        counts,
        reservations,
        commitments,
        sales,
        customers,
        customer_sales,
        purchase_orders,
        expenses,
        forecasts,
        reorder_rules,
        reorder_suggestions,
        reports,
        dashboard,
        integrity,
    ],
    consumers=CONSUMERS,
    background=[sweep_overdue, keep_closing],
    lifespan=opening(reclaim_overdue),
)
MIGRATIONS = migrations_of(__file__)

__all__ = ["MIGRATIONS", "SERVICE", "StockSettings"]
