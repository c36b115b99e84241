"""What installations of three sizes need, and where the first limits are, calculated from measured figures; `make
contracts` writes both tables into docs/scaling.md.

`MEASURED` is from this repository's benchmarks and the December of a real retailer; `ASSUMED` and `Prices` are
parameters.
"""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
BEGIN, END = "<!-- {}, calculated by bench/sizing.py -->\n", "<!-- end -->\n"
SECONDS_PER_YEAR = 365 * 24 * 3600
KILOBYTE, GIGABYTE = 1e3, 1e9


@dataclass(frozen=True)
class Measured:
    """Processor times are of all processes, per movement or request; sizes are with indexes."""

    stock_ms: float = 0.53
    """Processor time of the stock service for a single movement on RabbitMQ until every consumer has it (`make bench
    PARTS=consumed`), as the following ones."""
    postgres_ms: float = 0.32
    notifications_ms: float = 0.30
    gateway_ms: float = 0.22
    broker_ms: float = 0.11
    catalog_ms: float = 0.07
    read_ms: float = 1.9
    """A short list through the gateway (`make bench PARTS=gateway`)."""
    log_kilobytes: float = 5.0
    """The event log with its words (December: 44,344 movements)."""
    ledger_kilobytes: float = 1.0
    """Ledger and documents, for ever."""
    archived_kilobytes: float = 2.6
    """For seven days, in the outboxes."""
    process_megabytes: float = 150.0
    embedded_megabytes: float = 550.0
    """After the December, with PostgreSQL."""
    company_megabytes: float = 80.0
    """Of each further company (docs/adr/0041)."""

    @property
    def write_ms(self) -> float:
        services = self.stock_ms + self.notifications_ms + self.gateway_ms + self.catalog_ms
        return services + self.postgres_ms + self.broker_ms

    @property
    def kept_kilobytes(self) -> float:
        return self.log_kilobytes + self.ledger_kilobytes


@dataclass(frozen=True)
class Assumed:
    """`peak`: the busiest minute as a multiple of the year's average. `reads`: per movement. `utilization`: of a
    processor at the peak. `cached_share`: of a year's data that PostgreSQL keeps in memory."""

    peak: float = 10.0
    reads: float = 10.0
    utilization: float = 0.5
    cached_share: float = 0.01
    years: int = 3
    postgres_processors: int = 16
    """Of a large database server."""
    shards: int = 16


@dataclass(frozen=True)
class Prices:
    """Per month, in any currency."""

    processor: float = 20.0
    gigabyte_of_memory: float = 3.0
    gigabyte_of_disk: float = 0.1


@dataclass(frozen=True)
class Installation:
    name: str
    movements_per_year: float
    companies: int = 1
    is_cluster: bool = False
    copies: int = 1
    """Of the database: the primary and its standbys."""


MEASURED, ASSUMED = Measured(), Assumed()
INSTALLATIONS = (
    Installation("one shop", 5e5),
    Installation("a hundred shops", 5e7, companies=100, is_cluster=True, copies=2),
    Installation("a chain", 1e9, is_cluster=True, copies=3),
)
SERVICES_WITH_GATEWAY = 5
PROCESSES_OF_SERVERS = 2


def rows(installation: Installation, prices: Prices = Prices()) -> dict[str, str]:
    """The calculated figures by name."""
    average = installation.movements_per_year / SECONDS_PER_YEAR
    peak = average * ASSUMED.peak
    write = peak * MEASURED.write_ms / 1000 / ASSUMED.utilization
    read = peak * ASSUMED.reads * MEASURED.read_ms / 1000 / ASSUMED.utilization
    processors = max(ceil(write + read), 2 if installation.is_cluster else 1)
    per_year = installation.movements_per_year * MEASURED.kept_kilobytes * KILOBYTE / GIGABYTE
    archive = average * 7 * 24 * 3600 * MEASURED.archived_kilobytes * KILOBYTE / GIGABYTE
    disk = (per_year * ASSUMED.years + archive) * installation.copies
    memory = _memory_gigabytes(installation, processors, per_year)
    one_copy = disk / installation.copies
    price = processors * prices.processor + memory * prices.gigabyte_of_memory + disk * prices.gigabyte_of_disk
    return {
        "movements a year": f"{installation.movements_per_year:,.0f}",
        "movements a second, average / peak": f"{average:,.2f} / {peak:,.1f}",
        "processors at the peak, writes / reads": f"{write:,.2f} / {read:,.2f}",
        "processors": f"{processors}",
        "memory": f"{memory:,.1f} GB",
        "disk for each year": f"{per_year:,.0f} GB",
        "archive of events": f"{archive:,.2f} GB",
        f"disk after {ASSUMED.years} years, with {installation.copies} copies": f"{disk:,.0f} GB",
        "one PostgreSQL, cache / disk": f"{per_year * ASSUMED.cached_share:,.1f} GB / {one_copy:,.0f} GB",
        "price a month": f"{price:,.0f}",
    }


def _memory_gigabytes(installation: Installation, processors: int, disk_per_year: float) -> float:
    cached = disk_per_year * ASSUMED.cached_share * installation.copies
    if not installation.is_cluster:
        return MEASURED.embedded_megabytes / 1000 + cached
    processes = max(processors, SERVICES_WITH_GATEWAY) + PROCESSES_OF_SERVERS
    companies = (installation.companies - 1) * MEASURED.company_megabytes
    return (processes * MEASURED.process_megabytes + companies) / 1000 + cached


def table() -> str:
    """In Markdown: a column for each installation."""
    columns = [rows(installation) for installation in INSTALLATIONS]
    lines = [
        "| | " + " | ".join(one.name for one in INSTALLATIONS) + " |",
        "| --- | " + " | ".join("---" for _ in columns) + " |",
    ]
    for names in zip(*columns, strict=True):
        title = names[0].partition(", with ")[0]
        lines.append(
            f"| {title} | " + " | ".join(column[name] for column, name in zip(columns, names, strict=True)) + " |"
        )
    return "\n".join(lines) + "\n"


def limits() -> dict[str, tuple[float, str]]:
    """What can be full: the movements a second at that point, and what extends it."""
    utilization = 1000 * ASSUMED.utilization
    primary = utilization * ASSUMED.postgres_processors / MEASURED.postgres_ms
    return {
        "process that appends to the event log": (
            utilization / MEASURED.notifications_ms,
            "several companies; one log needs one process",
        ),
        "node of RabbitMQ, one processor": (utilization / MEASURED.broker_ms, "more processors or nodes"),
        f"PostgreSQL with {ASSUMED.postgres_processors} processors": (primary, "a server for each schema"),
        f"{ASSUMED.shards} shards of stock, as large": (ASSUMED.shards * primary, "more shards"),
    }


def limits_table() -> str:
    """In Markdown: a row for each limit, the lowest first."""
    lines = [
        "| part | full at movements a second | movements a year, in thousand millions | extended by |",
        "| --- | --- | --- | --- |",
    ]
    for name, (at_peak, extension) in limits().items():
        per_year = at_peak / ASSUMED.peak * SECONDS_PER_YEAR
        lines.append(f"| {name} | {at_peak:,.0f} | {per_year / 1e9:,.1f} | {extension} |")
    return "\n".join(lines) + "\n"


def with_tables(page: str) -> str:
    """The page with its tables replaced."""
    for name, text in (("sizes", table()), ("limits", limits_table())):
        before, begin, rest = page.partition(BEGIN.format(name))
        page = before + begin + text + END + rest.partition(END)[2]
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
