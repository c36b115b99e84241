"""Documents point to what exists: relative links, anchors, paths of files, and a runbook entry for each alert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.source import REPOSITORY, files, named

LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
CODE_BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
PATH_IN_CODE = re.compile(r"`((?:docs|libs|services|gateway|deploy|tests|bench|examples)/[\w./-]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CREATED_BY_HOW_TOS = re.compile(r"pricing|gift_cards")


@cache
def documents() -> list[Path]:
    return sorted(path for path in files() if path.suffix == ".md")


@cache
def prose(path: Path) -> str:
    return CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> set[str]:
    """GitHub's anchors: lower case, punctuation removed, spaces to hyphens."""
    headings = HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> Iterator[str]:
    for link in LINK.findall(prose(path)):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield f"{named(path)}: {link}"


def test_relative_links_and_anchors_resolve() -> None:
    assert not [link for path in documents() for link in broken_links(path)]


def test_paths_in_documents_exist() -> None:
    missing = [
        f"{named(path)}: {place}"
        for path in documents()
        for place in PATH_IN_CODE.findall(prose(path))
        if not CREATED_BY_HOW_TOS.search(place) and not (REPOSITORY / place).exists()
    ]
    assert not missing


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((REPOSITORY / "deploy/observability/alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def test_each_alert_has_a_runbook_entry_and_each_entry_an_alert() -> None:
    entries = re.findall(r"^## (.+)$", prose(REPOSITORY / "docs/runbook.md"), re.MULTILINE)
    assert sorted(entries) == sorted(alert["alert"] for alert in alerts())


def test_each_alert_links_to_its_runbook_entry() -> None:
    unlinked = [
        alert["alert"]
        for alert in alerts()
        if not alert["annotations"].get("runbook_url", "").endswith(f"docs/runbook.md#{alert['alert'].lower()}")
    ]
    assert not unlinked
