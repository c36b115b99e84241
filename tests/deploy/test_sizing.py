"""docs/scaling.md has the figures that bench/sizing.py calculates."""

from dataclasses import replace

import pytest

from bench.sizing import INSTALLATIONS, PAGE, Prices, limits, rows, with_tables


def number(figure: str) -> float:
    return float(figure.removesuffix(" GB").replace(",", ""))


def test_page_has_the_calculated_tables() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "run make contracts"


def test_lowest_limit_is_first() -> None:
    at_peak = [figure for figure, _ in limits().values()]
    assert at_peak == sorted(at_peak)


def test_disk_and_processors_grow_with_the_movements() -> None:
    chain = INSTALLATIONS[-1]
    once, twice = rows(chain), rows(replace(chain, movements_per_year=2 * chain.movements_per_year))
    assert number(twice["disk for each year"]) == 2 * number(once["disk for each year"])
    assert number(twice["processors"]) == pytest.approx(2 * number(once["processors"]), abs=1)


def test_price_follows_the_prices() -> None:
    chain = INSTALLATIONS[-1]
    price = number(rows(chain, Prices(processor=0, gigabyte_of_memory=0, gigabyte_of_disk=1))["price a month"])
    copies = next(number(figure) for name, figure in rows(chain).items() if name.startswith("disk after"))
    assert price == pytest.approx(copies, abs=1)
