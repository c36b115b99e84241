"""The stock service, put together."""

from stockbuddy.chassis.migrations import migrations_of
from stockbuddy.chassis.web import Service
from stockbuddy.stock.dashboard.routes import router as dashboard
from stockbuddy.stock.desk import opened
from stockbuddy.stock.expenses.routes import router as expenses
from stockbuddy.stock.integrity.routes import router as integrity
from stockbuddy.stock.levels.routes import router as levels
from stockbuddy.stock.movements.routes import router as movements
from stockbuddy.stock.purchase_orders.routes import router as purchase_orders
from stockbuddy.stock.reports.routes import router as reports
from stockbuddy.stock.sales.routes import router as sales
from stockbuddy.stock.settings import StockSettings
from stockbuddy.stock.subscriptions import CONSUMERS
from stockbuddy.stock.warehouses.routes import router as warehouses

SERVICE = Service(
    name="stock",
    title="Stockbuddy stock",
    routers=[warehouses, movements, levels, sales, purchase_orders, expenses, reports, dashboard, integrity],
    consumers=CONSUMERS,
    lifespan=opened,
)
MIGRATIONS = migrations_of(__file__)

__all__ = ["MIGRATIONS", "SERVICE", "StockSettings"]
