"""The locks: requirements.lock has what serving needs and nothing else, requirements-dev.lock the rest."""

import json
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from platform import python_version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Lock = dict[str, str]
"""Normalized name → version."""
SUPPORTED = ("3.11.0", python_version())
"""The oldest Python, which needs packages of its own, and this one."""
SERVING, DEVELOPMENT, CONSOLE = "requirements.lock", "requirements-dev.lock", "requirements-console.lock"


@pytest.fixture(scope="module")
def locks(root: Path) -> dict[str, Lock]:
    pins = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
    return {
        name: {canonicalize_name(package): pinned for package, pinned in pins.findall((root / name).read_text())}
        for name in (SERVING, DEVELOPMENT, CONSOLE)
    }


def declared(root: Path, *, development: bool) -> list[Requirement]:
    """The requirements in pyproject.toml files, without those of members on each other."""
    workspace = tomllib.loads((root / "pyproject.toml").read_text())
    found: list[str] = list(workspace["dependency-groups"]["dev"]) if development else []
    for pattern in workspace["tool"]["uv"]["workspace"]["members"]:
        for member in root.glob(f"{pattern}/pyproject.toml"):
            project = tomllib.loads(member.read_text())["project"]
            extras = project.get("optional-dependencies", {}).values() if development else ()
            found += [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    requirements = map(Requirement, found)
    return [requirement for requirement in requirements if not requirement.name.startswith("stockbuddy-")]


def closure(requirements: Iterable[Requirement], python: str) -> set[str]:
    """The packages that the requirements need on this machine with that Python, according to what is installed."""
    waiting, done = list(requirements), set[tuple[str, str]]()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            name = canonicalize_name(requirement.name)
            if (name, extra) in done:
                continue
            done.add((name, extra))
            try:
                needed = [Requirement(text) for text in requires(name) or ()]
            except PackageNotFoundError:
                continue  # of another platform
            waiting += [
                each
                for each in needed
                if each.marker is None or each.marker.evaluate({"extra": extra, "python_full_version": python})
            ]
    return {name for name, _ in done}


def test_locks_have_every_declared_dependency_at_an_accepted_version(root: Path, locks: dict[str, Lock]) -> None:
    both = locks[SERVING] | locks[DEVELOPMENT]
    for requirement in declared(root, development=True):
        pinned = both.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not locked: run make lock"
        assert requirement.specifier.contains(pinned), f"{requirement} is locked at {pinned}: run make lock"


def test_console_lock_has_its_group(root: Path, locks: dict[str, Lock]) -> None:
    workspace = tomllib.loads((root / "pyproject.toml").read_text())
    (requirement,) = map(Requirement, workspace["dependency-groups"]["console"])
    assert requirement.specifier.contains(locks[CONSOLE][requirement.name])
    assert set(locks[CONSOLE]) == {requirement.name}


def test_packages_of_the_console_are_pinned_and_name_no_registry(root: Path) -> None:
    packages = json.loads((root / "console/package-lock.json").read_text())["packages"]
    assert not [
        name for name, package in packages.items() if "resolved" in package or (name and "integrity" not in package)
    ]


def test_serving_lock_has_only_what_serving_needs(root: Path, locks: dict[str, Lock]) -> None:
    requirements = declared(root, development=False)
    needed = {name for python in SUPPORTED for name in closure(requirements, python)}
    assert needed == set(locks[SERVING])
    assert not set(locks[SERVING]) & set(locks[DEVELOPMENT])


def test_locks_are_hashed_and_name_no_registry(root: Path, locks: dict[str, Lock]) -> None:
    for name in locks:
        text = (root / name).read_text()
        pins, hashed = (
            re.findall(pattern, text, re.MULTILINE) for pattern in (r"^[^\s#]", r"^\S.*==.* \\\n    --hash=sha256:")
        )
        assert len(pins) == len(hashed)
        assert not [word for word in ("://", "--index", "--find-links") if word in text]
