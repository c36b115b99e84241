"""The members are listed once, in pyproject.toml; the lists that tools need agree with it, and each member declares the
members that it imports (deptry sees a single package `stockbuddy`)."""

import ast
import re
from pathlib import Path

import pytest

from stockbuddy.chassis.runtime.release import VERSION
from tests.architecture.source import MEMBERS, REPOSITORY, modules, named, parsed, project

NOT_IN_IMAGES = {"libs/local_servers", "deploy/embedded"}


def package_name(member: Path) -> str:
    return str(project(member)["project"]["name"])


def import_name(member: Path) -> str:
    return f"stockbuddy.{member.name}"


def imported_members(paths: list[Path]) -> set[str]:
    """Package names of the members that the modules import."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {f"stockbuddy-{name.split('.')[1].replace('_', '-')}" for name in names if name.startswith("stockbuddy.")}


def declared_members(requirements: list[str]) -> set[str]:
    return {requirement for requirement in requirements if requirement.startswith("stockbuddy-")}


def test_release_has_the_version_of_every_member() -> None:
    assert {project(member)["project"]["version"] for member in MEMBERS} == {VERSION}


def test_workspace_has_nine_members() -> None:
    assert len(MEMBERS) == 9


def test_workspace_sources_are_the_members() -> None:
    assert set(project()["tool"]["uv"]["sources"]) == {package_name(member) for member in MEMBERS}


def test_type_checker_finds_every_member() -> None:
    assert project()["tool"]["mypy"]["mypy_path"] == [f"{named(member)}/src" for member in MEMBERS]


def test_import_contracts_cover_every_member() -> None:
    roots = project()["tool"]["importlinter"]["root_packages"]
    assert sorted(roots) == sorted(import_name(member) for member in MEMBERS)


def test_image_installs_the_dependencies_of_every_deployed_member() -> None:
    dockerfile = (REPOSITORY / "deploy/Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\S+)/pyproject\.toml", dockerfile, re.MULTILINE))
    assert copied == {named(member) for member in MEMBERS} - NOT_IN_IMAGES


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_member_declares_exactly_the_members_it_imports(member: Path) -> None:
    metadata = project(member)["project"]
    optional = metadata.get("optional-dependencies", {})
    paths = [path for path in modules() if path.is_relative_to(member)]
    of_extras = [path for path in paths if path.parent.name in optional]
    assert imported_members([path for path in paths if path not in of_extras]) - {metadata["name"]} == declared_members(
        metadata["dependencies"]
    )
    declared = declared_members(metadata["dependencies"] + [name for names in optional.values() for name in names])
    assert imported_members(paths) - {metadata["name"]} == declared


def test_every_folder_of_modules_is_a_package() -> None:
    """import-linter skips folders without `__init__.py`."""
    assert not {named(path.parent) for path in modules()} - {named(p.parent) for p in modules() if p.stem == "__init__"}


def test_contracts_depend_on_pydantic_only() -> None:
    requirements = project(REPOSITORY / "libs/contracts")["project"]["dependencies"]
    assert [requirement.partition(">")[0] for requirement in requirements] == ["pydantic"]
