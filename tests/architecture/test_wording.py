"""Wording rules for docstrings, comments, texts, documents and commit subjects.

A file is parsed only if a plain search finds a rejected word in it, so a clean repository is checked in about a second.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.architecture.source import REPOSITORY, files, named

REJECTED = re.compile(
    r"(?<!`)\b(?:whoever|somebody|nobody|anew|told|said|heard|mend(?:s|ed|ing)?|let(?:s|ting)?\s+go|at\s+hand"
    r"|beside\s+the\s+requests|oftener)\b(?!`)",
    re.IGNORECASE,
)
"""`nobody` in backquotes is an account."""
PLAIN_TEXT = {".md", ".yml", ".yaml", ".toml", ".sql", ".txt", ".html", ".conf", ".env"}
PLAIN_NAMES = {"Makefile", "Dockerfile", "setup", "install-servers", "roll", "make-roles", "run"}
GENERATED = {"docs/events.md"}  # made from the docstrings of libs/contracts, which are checked
WORDLISTS = {"tests/architecture/test_wording.py"}  # holds the rejected words themselves

Block = tuple[int, str]
"""First line number and text of a stretch of prose."""


def comments(source: str) -> Iterator[Block]:
    """Comments, with consecutive ones joined so that a phrase may span two lines."""
    start, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != start + len(lines):
                yield start, "\n".join(lines)
                lines = []
            start = token.start[0] if not lines else start
            lines.append(token.string.lstrip("#"))
    if lines:
        yield start, "\n".join(lines)


def texts(source: str, *, every: bool) -> Iterator[Block]:
    """Docstrings (of attributes, too) or, for sources whose texts reach users and operators, every string
    with a space in it."""
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Expr) else node if every else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value:
            yield value.lineno, value.value


def table_cells_to_check(text: str) -> str:
    """The glossary without its last column, the words to avoid."""
    return re.sub(r"^(\|.*\|)[^|\n]*\|$", r"\1", text, flags=re.MULTILINE)


def blocks(path: Path) -> Iterable[Block]:
    text = path.read_text(encoding="utf-8")
    if not REJECTED.search(text):
        return []
    if path.suffix == ".py":
        return [*comments(text), *texts(text, every="src" in path.parts)]
    return [(1, table_cells_to_check(text) if named(path) == "docs/glossary.md" else text)]


def rejected_words(path: Path) -> Iterator[str]:
    """`file:line: word` for each rejected word; a string in two lists is reported once."""
    found = {
        (line + text.count("\n", 0, match.start()), match[0])
        for line, text in blocks(path)
        for match in REJECTED.finditer(text)
    }
    for line, word in sorted(found):
        yield f"{named(path)}:{line}: {' '.join(word.split())}"


def is_checked(path: Path) -> bool:
    is_text = path.suffix in PLAIN_TEXT | {".py"} or path.name in PLAIN_NAMES
    return is_text and named(path) not in GENERATED | WORDLISTS


def test_docstrings_comments_and_documents_use_plain_terms() -> None:
    findings = [finding for path in sorted(filter(is_checked, files())) for finding in rejected_words(path)]
    assert not findings, "see docs/glossary.md:\n" + "\n".join(findings)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Nobody\n\nis heard."""', [1, 3]),
        ("x = 1  # at\ny = 2  # hand", [1]),
        ("value = 1\n# it is\n# said so", [3]),
        ('"it said so"; text = "told you"; heard = 1', [1]),
        ("# the account `nobody`", []),
    ],
)
def test_rejected_words_are_reported_with_their_line(source: str, expected: list[int]) -> None:
    found = [
        line + text.count("\n", 0, match.start())
        for line, text in [*comments(source), *texts(source, every=False)]
        for match in REJECTED.finditer(text)
    ]
    assert found == expected


def test_glossary_exempts_only_the_words_to_avoid() -> None:
    text = table_cells_to_check("| publish | Nobody. | tell, told |\n| --- | --- | --- |")
    assert REJECTED.findall(text) == ["Nobody"]


@pytest.mark.parametrize(
    ("message", "is_accepted"),
    [
        ("stock: retry a posting after a version conflict\n", True),
        ("stock, docs: name the ledger's terms\n\nBecause the glossary does.\n", True),
        ("Reflow\n", False),
        ("stock: \n", False),
        (f"stock: {'x' * 70}\n", False),
    ],
)
def test_commit_message_hook_follows_the_documented_rule(message: str, is_accepted: bool) -> None:
    assert "at most 72 characters" in (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    configuration = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = {hook["id"]: hook for repo in configuration["repos"] for hook in repo["hooks"]}
    assert bool(re.search(hooks["commit-subject"]["entry"], message)) == is_accepted
