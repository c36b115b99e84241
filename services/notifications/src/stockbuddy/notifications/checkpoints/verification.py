"""Verifies an export of the chain against kept checkpoints, without the server or its database."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from stockbuddy.notifications.audit.chain_links import ChainState
from stockbuddy.notifications.audit.export import from_chain_line
from stockbuddy.notifications.checkpoints.signed_head import InvalidCheckpoint, SignedHead


@dataclass(slots=True)
class VerificationReport:
    """`entries` from `first` to `last` were read; checkpoints up to `confirmed` agree with them."""

    entries: int = 0
    first: int = 0
    last: int = 0
    confirmed: int = 0
    matched: int = 0
    problems: list[str] = field(default_factory=list)


def read_checkpoints(text: str, keys: Mapping[str, jwt.PyJWK], report: VerificationReport) -> list[SignedHead]:
    """The checkpoints in a text: a response of `GET /audit-logs/checkpoints`, or one checkpoint per line, as JSON with
    a `jws` or as the JWS itself. Those with an invalid signature are problems."""
    heads = []
    for number, jws in enumerate(_signatures_in(text), 1):
        try:
            heads.append(SignedHead.verify(jws, keys))
        except InvalidCheckpoint as error:
            report.problems.append(f"checkpoint {number} is not valid: {error}")
    return sorted(heads, key=lambda head: head.position)


def _signatures_in(text: str) -> Iterator[str]:
    try:
        yield from _signatures_of(json.loads(text))
    except ValueError:
        for line in filter(None, map(str.strip, text.splitlines())):
            yield from _signatures_of(json.loads(line)) if line.startswith("{") else [line]


def _signatures_of(document: Any) -> list[str]:
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        document = document["items"]
    items = document if isinstance(document, list) else [document]
    # An event or a delivery of a webhook has the checkpoint in its data.
    return [str((item.get("data") or item).get("jws", "")) for item in items if isinstance(item, dict)]


def verify_export(lines: Iterable[str], heads: Iterable[SignedHead], report: VerificationReport) -> None:
    """Recompute the chain of an export with `format=chain`, and compare it with the signed heads, line by line."""
    wanted: dict[int, list[SignedHead]] = {}
    for head in heads:
        wanted.setdefault(head.position, []).append(head)
    position, chain = None, ChainState()
    for line in filter(str.strip, lines):
        try:
            link = from_chain_line(line)
        except ValueError as error:
            report.problems.append(f"after entry {report.last}: {error}")
            return
        entry = link.entry
        if position is None and entry.position != 1:
            chain.hash = None  # not in the export: the first hash is confirmed by a checkpoint only
        elif entry.position != (position or 0) + 1:
            report.problems.append(f"entries {(position or 0) + 1} to {entry.position - 1} are missing")
            return
        if not chain.follow(link):
            report.problems.append(f"entry {entry.position} was altered: its hash does not follow from its content")
            return
        _compare(wanted.pop(entry.position, []), link.hash.hex(), report)
        report.first = report.first or entry.position
        report.entries, report.last = report.entries + 1, entry.position
        position = entry.position
    if (unrecorded := chain.find_unrecorded()) is not None:
        report.problems.append(f"entry {unrecorded} was redacted, but no later entry of the export records it")
    _report_unmatched(wanted, report)


def _compare(heads: Iterable[SignedHead], stored_hash: str, report: VerificationReport) -> None:
    for head in heads:
        if head.hash == stored_hash:
            report.matched += 1
            report.confirmed = head.position
        else:
            report.problems.append(
                f"the log was rewritten: entry {head.position} has another hash than the checkpoint of"
                f" {head.signed_at:%Y-%m-%d %H:%M} UTC (epoch {head.epoch})"
            )


def _report_unmatched(wanted: Mapping[int, list[SignedHead]], report: VerificationReport) -> None:
    beyond = [head for heads in wanted.values() for head in heads if head.position > report.last]
    if beyond:
        report.problems.append(
            f"the export ends at entry {report.last}, but a checkpoint of {beyond[0].signed_at:%Y-%m-%d %H:%M} UTC"
            f" has entry {beyond[-1].position}: entries are missing at the end"
        )
