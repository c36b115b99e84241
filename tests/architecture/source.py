"""The files that the architecture tests check: the workspace's members, their modules, and all text files."""

import ast
import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", ".venv", ".stockbuddy", "__pycache__", "node_modules", "htmlcov"}


@cache
def project(folder: Path = REPOSITORY) -> dict[str, Any]:
    """The parsed pyproject.toml of the workspace or of a member."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


MEMBERS = sorted(
    folder for pattern in project()["tool"]["uv"]["workspace"]["members"] for folder in REPOSITORY.glob(pattern)
)


@cache
def modules() -> list[Path]:
    """The Python modules in the members' `src` folders."""
    return [path for member in MEMBERS for path in sorted((member / "src").rglob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def classes(path: Path) -> Iterator[ast.ClassDef]:
    yield from (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def files() -> Iterator[Path]:
    """All files of the repository, without generated folders."""
    for folder, folders, names in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and not name.endswith("_cache")]
        yield from (Path(folder, name) for name in names)


def named(path: Path) -> str:
    """The path as seen from the repository."""
    return path.relative_to(REPOSITORY).as_posix()
