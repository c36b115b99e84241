"""Each member declares the members that it imports: deptry sees one namespace where there are eight packages."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MEMBERS = [
    folder for pattern in ("libs/*", "services/*", "gateway", "deploy/embedded") for folder in REPOSITORY.glob(pattern)
]


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_members(member: Path) -> set[str]:
    names = {name for path in (member / "src").rglob("*.py") for name in imported_modules(path)}
    return {f"stockbuddy-{name.split('.')[1]}" for name in names if name.startswith("stockbuddy.")}


def test_all_members_are_looked_at() -> None:
    assert len(MEMBERS) == 8


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_a_member_declares_the_members_that_it_imports(member: Path) -> None:
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    declared = {requirement for requirement in project["dependencies"] if requirement.startswith("stockbuddy-")}
    assert imported_members(member) - {project["name"]} == declared


def test_the_contracts_need_pydantic_alone() -> None:
    project = tomllib.loads((REPOSITORY / "libs/contracts/pyproject.toml").read_text())["project"]
    assert [requirement.partition(">")[0] for requirement in project["dependencies"]] == ["pydantic"]
