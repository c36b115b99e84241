"""The console in German and Spanish: complete, accessible, and with the numbers and dates of the language.

With SCREENSHOTS=folder, a picture of each screen is written there.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic_core.core_schema import ErrorType

from .conftest import PASSWORD, ROOT, RunningSystem, new_context, violations, watch

SCREENS = [
    "/", "/scan", "/sell", "/products", "/products/1", "/sales/1", "/stock-levels", "/purchase-orders/1",
    "/reports?report=profit", "/roles", "/settings", "/health-status", "/account",
]  # fmt: skip
MORE_SCREENS = [
    "/products/new", "/sales", "/movements", "/transfers", "/counts", "/counts/1", "/reservations", "/warehouses",
    "/purchase-orders", "/reorder", "/suppliers", "/expenses", "/customers", "/categories", "/reports", "/imports",
    "/users", "/webhooks", "/audit", "/events", "/report-schedules", "/jobs",
]  # fmt: skip
ENGLISH = re.compile(
    r"\b(the|of|and|with|this|from|your|you|not|yet|all|new|stock|products?|sales?|orders?|price|search|number|amount"
    r"|quantity|warehouses?|suppliers?|customers?|settings|users?|role|password|delete|edit|save|cancel|when|show|cost"
    r"|available|open|closed?|today|last|days?|state|choose|description|since|until)\b",
    re.IGNORECASE,
)
"""Words of English that are none of German or Spanish."""
DATA = re.compile(
    r"Mug number \d+|Ada's Shop|Clay & Sons|Main warehouse|Stockbuddy"
    r"|[\w*]+(?:\.[\w*]+)+|\w+_\w+|catalog|^stock\b|docker .*"
)
"""What a shop has entered, and codes of the API."""
WIDTHS = [1440, 360]
OpenScreen = Callable[[str, str, int], Page]

_TEXTS = """() => {
    const copy = document.body.cloneNode(true);
    document.body.append(copy);
    copy.querySelectorAll("code, pre, kbd, script, .language-names").forEach(element => element.remove());
    const attributes = ["aria-label", "placeholder", "title", "alt", "data-label"];
    const elements = [...copy.querySelectorAll("*")];
    const labels = elements.flatMap(element => attributes.map(name => element.getAttribute(name)));
    const text = copy.innerText;
    copy.remove();
    return [document.title, text, ...labels.filter(Boolean)].join("\\n");
}"""


def english_words(page: Page) -> list[str]:
    """The lines of the page, and of its labels, that contain an English word."""
    lines = {DATA.sub("", line) for line in page.evaluate(_TEXTS).splitlines()}
    return sorted(line for line in lines if ENGLISH.search(line))


@pytest.fixture(scope="module")
def open_screen(system: RunningSystem, browser: Browser, states: dict[str, Any]) -> Iterator[OpenScreen]:
    """One browser session for each language and width."""
    contexts: dict[tuple[str, int], BrowserContext] = {}

    def open_screen(path: str, locale: str, width: int) -> Page:
        if (locale, width) not in contexts:
            viewport: Any = {"width": width, "height": 900}
            contexts[locale, width] = new_context(browser, states["admin"], locale=locale, viewport=viewport)
        page = watch(contexts[locale, width].new_page())
        page.goto(system.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".mantine-Loader-root")).to_have_count(0)
        return page

    yield open_screen
    for context in contexts.values():
        context.close()


def faults_of(page: Page, language: str, width: int) -> list[str]:
    """What is wrong with the screen: English words, horizontal scrolling, findings of axe-core."""
    if folder := os.environ.get("SCREENSHOTS"):
        name = re.sub(r"[^a-z0-9]+", "-", page.url.partition("//")[2].partition("/")[2]).strip("-") or "home"
        page.screenshot(path=ROOT / Path(folder) / f"{name}-{width}-{language}.png", full_page=True)
    faults = [f"{page.url}: {line}" for line in english_words(page)] + violations(page)
    if page.locator("html").get_attribute("lang") != language:
        faults.append(f"{page.url}: another language")
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append(f"{page.url}: wider than {width} pixels")
    page.close()
    return faults


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("locale", ["de-DE", "es-ES"])
def test_main_screens_are_translated_and_accessible(open_screen: OpenScreen, locale: str, width: int) -> None:
    faults = [fault for path in SCREENS for fault in faults_of(open_screen(path, locale, width), locale[:2], width)]
    assert faults == []


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("locale", ["de-DE", "es-ES"])
@pytest.mark.parametrize("path", MORE_SCREENS)
def test_screen_is_translated_and_accessible(open_screen: OpenScreen, path: str, locale: str, width: int) -> None:
    assert faults_of(open_screen(path, locale, width), locale[:2], width) == []


def test_language_is_chosen_before_and_after_the_login(system: RunningSystem, browser: Browser) -> None:
    context = new_context(browser, locale="de-AT")
    page = watch(context.new_page())
    page.goto(f"{system.url}/products?search=MUG-009")
    expect(page.get_by_label("Benutzername oder E-Mail")).to_be_visible()
    assert english_words(page) == []
    page.get_by_label("Sprache").select_option("Español")
    page.get_by_label("Nombre de usuario o correo").fill("sam")
    page.locator("input[autocomplete=current-password]").fill("wrong-Password-1")
    page.get_by_role("button", name="Iniciar sesión", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nombre de usuario o contraseña incorrectos")
    assert violations(page) == []
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.get_by_role("button", name="Iniciar sesión", exact=True).click()
    row = page.get_by_role("row").filter(has_text="MUG-009")
    expect(row).to_contain_text(re.compile(r"7,50\s€"))
    page.goto(f"{system.url}/account")
    expect(page.get_by_role("heading", name="Cuenta")).to_be_visible()
    page.get_by_label("Idioma").select_option("English")
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    context.close()


def test_numbers_are_entered_and_shown_in_the_language(open_screen: OpenScreen, system: RunningSystem) -> None:
    page = open_screen("/products?search=MUG-010", "de-DE", 1440)
    cell = page.get_by_role("button", name=re.compile("^Preis von MUG-010"))
    cell.click()
    page.get_by_label("Preis von MUG-010").fill("1234,5")
    page.get_by_label("Preis von MUG-010").press("Enter")
    expect(page.get_by_role("button", name=re.compile(r"^Preis von MUG-010: 1\.234,50\s€"))).to_be_visible()
    assert system.call("GET", "/products/by-sku/MUG-010")["unit_price"] == "1234.50"
    expect(page.get_by_text("1\N{EN DASH}1 von 1")).to_be_visible()


OWN_CODES = re.compile(
    r'InvalidValue\(\s*"(\w+)"'
    r'|Unprocessable\.field\(\s*(?:\w+|f?"[^"]*"),\s*(?:\w+|f?"[^"]*"),\s*"(\w+)"(?: if [^"]* else "(\w+)")?'
)


def test_every_code_of_a_field_error_is_translated() -> None:
    """Those of our own validators, and no others than Pydantic's."""
    sources = [path for folder in ("services", "libs") for path in (ROOT / folder).glob("*/src/**/*.py")]
    found = OWN_CODES.findall("\n".join(path.read_text(encoding="utf-8") for path in sources))
    own = {code for codes in found for code in codes if code}
    assert {"email_invalid", "same_warehouse", "amount_too_large"} <= own
    for language in ("de", "es"):
        texts = json.loads((ROOT / f"console/src/texts/{language}/other.json").read_text(encoding="utf-8"))
        translated = {key.partition(".")[2] for key in texts if key.startswith("invalid.")}
        assert own - translated == set(), language
        assert translated - own - set(get_args(ErrorType)) == set(), language


def test_alerts_are_shown_in_the_language(open_screen: OpenScreen, system: RunningSystem) -> None:
    product = {"sku": "TEE-1", "name": "Kanne", "unit_price": "5.00", "quantity": 6, "low_stock_threshold": 5}
    created = system.call("POST", "/products", product)
    sale = {"lines": [{"sku": "TEE-1", "quantity": "2.5"}], "warehouse_id": created["stock"][0]["warehouse_id"]}
    system.call("POST", "/sales", sale)
    german = open_screen("/notifications", "de-DE", 1440)
    row = german.get_by_role("row").filter(has_text="Knapper Bestand: Kanne (TEE-1)")
    expect(row).to_contain_text("Noch 3,5 in Main warehouse. Die Grenze ist 5.")
    assert english_words(german) == []
    spanish = open_screen("/notifications", "es-ES", 360)
    row = spanish.get_by_role("row").filter(has_text="Existencias bajas: Kanne (TEE-1)")
    expect(row).to_contain_text("Quedan 3,5 en Main warehouse. El límite es 5.")
    english = open_screen("/notifications", "en-GB", 1440)
    expect(english.get_by_role("row").filter(has_text="Low stock: Kanne (TEE-1)")).to_contain_text("The limit is 5.")


def test_messages_beside_fields_are_in_the_language(open_screen: OpenScreen) -> None:
    page = open_screen("/products/new", "de-DE", 1440)
    page.get_by_role("textbox", name="Name").fill("Kanne")
    page.get_by_role("textbox", name="Artikelnr.").fill("A" * 300)
    page.get_by_role("textbox", name="Preis").fill("-1")
    page.get_by_role("button", name="Produkt anlegen").click()
    expect(page.get_by_text("Darf höchstens 100 Zeichen haben")).to_be_visible()
    expect(page.get_by_text("Muss mindestens 0 sein")).to_be_visible()
    assert english_words(page) == []
    page = open_screen("/settings", "es-ES", 1440)
    page.get_by_label("Moneda").fill("ABC")
    page.get_by_label("Direcciones para avisos").fill("ada@example.com, nadie")
    page.get_by_role("button", name="Guardar").click()
    expect(page.get_by_text("No es un código de moneda ISO 4217")).to_be_visible()
    expect(page.get_by_text("No es una dirección de correo")).to_be_visible()


def test_built_in_roles_are_named_in_the_language(open_screen: OpenScreen) -> None:
    page = open_screen("/users", "de-DE", 1440)
    expect(page.get_by_role("row").filter(has_text="mia@example.com")).to_contain_text("Filialleitung")
    options = page.get_by_label("Rolle", exact=True).get_by_role("option").all_inner_texts()
    assert {"Administrator", "Filialleitung", "Verkauf", "Betrachter"} <= set(options)
    page = open_screen("/roles", "es-ES", 1440)
    expect(page.get_by_role("row").filter(has_text="vendedor")).to_have_count(1)
    expect(open_screen("/account", "es-ES", 1440).get_by_text("administrador", exact=True)).to_be_visible()
