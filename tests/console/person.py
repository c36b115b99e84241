"""A person at the console, whose clicks and seconds are counted."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from .conftest import RunningSystem


def scan(page: Page, code: str) -> None:
    """As a scanner does: all characters at once, then Enter."""
    page.evaluate(
        """code => { for (const key of [...code, 'Enter'])
            document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})) }""",
        code,
    )


@dataclass
class Person:
    """Someone at the console, whose clicks are counted."""

    page: Page
    system: RunningSystem
    clicks: int = 0

    def start(self) -> None:
        """From the home page."""
        self.page.goto(self.system.url)
        expect(self.page.get_by_role("heading", name="Home", level=1)).to_be_visible()
        self.clicks = 0

    def click(self, name: str | re.Pattern[str], *, role: Any = "button", within: Locator | None = None) -> None:
        found = (within or self.page).get_by_role(role, name=name, exact=True)
        found.first.click()
        self.clicks += 1

    def open(self, name: str) -> None:
        """A page of the navigation."""
        self.click(name, role="link", within=self.page.get_by_role("navigation", name="Navigation"))
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def fill(self, label: str | re.Pattern[str], text: str, *, within: Locator | None = None) -> None:
        (within or self.page).get_by_label(label).first.fill(text)

    def pick(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Type into a field with suggestions, and take the first one."""
        entry = (within or self.page).get_by_role("combobox", name=label)
        entry.fill(text)
        options = (within or self.page).get_by_role("listbox", name=label).get_by_role("option")
        expect(options.first).to_contain_text(text)
        entry.press("Enter")
        self.clicks += 1

    def find(self, text: str) -> None:
        """By Ctrl-K."""
        self.page.keyboard.press("Control+k")
        expect(self.page.get_by_role("combobox", name="Find")).to_be_focused()
        self.page.keyboard.type(text)
        expect(self.page.get_by_role("listbox", name="Results").get_by_role("option").first).to_contain_text(text)
        self.page.keyboard.press("Enter")
        self.clicks += 2

    def scan(self, code: str) -> None:
        scan(self.page, code)

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")
