"""What the demo shop sells, buys and spends, and to whom."""

from dataclasses import dataclass
from decimal import Decimal

STORE, BRANCH = "MAIN", "DEMO-BRANCH"
"""Codes of the default warehouse and of the second one."""


@dataclass(frozen=True, slots=True)
class Supplier:
    name: str
    email: str
    lead_time_days: int


@dataclass(frozen=True, slots=True)
class Product:
    """`popularity`: its share of sales, relative to the others. `stock`: opening quantities of store and branch."""

    sku: str
    name: str
    category: str
    supplier: str
    price: Decimal
    popularity: int
    stock: tuple[int, int]

    @property
    def cost(self) -> Decimal:
        return (self.price * Decimal("0.55")).quantize(Decimal("0.01"))


SUPPLIERS = (
    Supplier("Hearth & Home Wholesale", "orders@hearth.example", 5),
    Supplier("Green Thumb Supply", "sales@greenthumb.example", 9),
    Supplier("Paper Mill Stationers", "office@papermill.example", 3),
)
_ROWS = (
    ("KIT-001", "Mug, white", "Kitchen", 0, "7.50", 6, (180, 40)),
    ("KIT-002", "Teapot, cast iron", "Kitchen", 0, "39.00", 1, (30, 10)),
    ("KIT-003", "Bread knife", "Kitchen", 0, "24.90", 2, (60, 12)),
    ("KIT-004", "Tea towel", "Kitchen", 0, "6.20", 4, (46, 10)),
    ("GAR-001", "Watering can, 5 l", "Garden", 1, "14.95", 3, (70, 25)),
    ("GAR-002", "Twine, green", "Garden", 1, "3.10", 4, (110, 30)),
    ("GAR-003", "Seed box", "Garden", 1, "18.00", 2, (60, 0)),
    ("GAR-004", "Gloves, leather", "Garden", 1, "12.40", 3, (34, 8)),
    ("PAP-001", "Notebook, A5", "Paper", 2, "4.80", 6, (130, 40)),
    ("PAP-002", "Wrapping paper", "Paper", 2, "2.60", 4, (120, 60)),
    ("PAP-003", "Pencil, HB", "Paper", 2, "0.90", 8, (260, 120)),
    ("PAP-004", "Postcard", "Paper", 2, "1.20", 5, (200, 50)),
    ("LIG-001", "Candle, beeswax", "Light", 0, "8.30", 4, (60, 30)),
    ("LIG-002", "Lantern, zinc", "Light", 0, "27.50", 1, (35, 8)),
    ("LIG-003", "Match holder", "Light", 0, "9.90", 1, (10, 0)),
    ("LIG-004", "Sundial, brass", "Light", 0, "64.00", 0, (6, 2)),
)
PRODUCTS = tuple(
    Product(sku, name, category, SUPPLIERS[supplier].name, Decimal(price), popularity, stock)
    for sku, name, category, supplier, price, popularity, stock in _ROWS
)
CUSTOMERS = (
    ("Ada Brook", "ada.brook@example.com"),
    ("Café Linden", "hello@cafe-linden.example"),
    ("Noor Haddad", "noor@example.com"),
    ("Primary School West", "office@school-west.example"),
)
EXPENSES = (
    ("Rent", "650.00", 28, STORE),
    ("Rent", "280.00", 28, BRANCH),
    ("Electricity", "112.40", 15, STORE),
    ("Advertising", "90.00", 12, None),
    ("Packaging", "44.35", 6, STORE),
    ("Repair of the till", "65.00", 2, BRANCH),
)
"""Category, amount, days ago, warehouse; None: the whole company."""
REORDER_RULES = (
    ("KIT-001", STORE, {"reorder_point": 80, "pack_size": 12, "cover_days": 21}),
    ("PAP-003", STORE, {"reorder_point": 120, "pack_size": 50, "minimum_quantity": 100}),
    ("LIG-001", BRANCH, {"reorder_point": 15, "pack_size": 6}),
)
