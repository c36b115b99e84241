"""Decision records (docs/adr): numbered without gaps, one page, with every field and section, listed in the index."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY

MAX_LINES = 60
FIELDS = ("Status", "Date")
SECTIONS = ("Context", "Decision", "Alternatives", "Consequences")
RECORDS = sorted((REPOSITORY / "docs/adr").glob("[0-9]*.md"))


def test_decision_records_are_numbered_without_gaps() -> None:
    assert [record.name[:4] for record in RECORDS] == [f"{n:04}" for n in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_decision_record_is_one_page_with_every_field_and_section(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert [name for name in FIELDS if not re.search(rf"^- {name}: \S", text, re.MULTILINE)] == []
    assert [name for name in re.findall(r"^## (.+)$", text, re.MULTILINE) if name in SECTIONS] == list(SECTIONS)


def test_index_of_decision_records_lists_each_with_its_title() -> None:
    index = (REPOSITORY / "docs/adr/README.md").read_text(encoding="utf-8")
    titles = {record.name: record.read_text(encoding="utf-8").partition("\n")[0] for record in RECORDS}
    missing = [
        name
        for name, title in titles.items()
        if f"[{title.removeprefix('# ').partition('. ')[2]}]({name})" not in index
    ]
    assert not missing
