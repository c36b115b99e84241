"""Placeholders of personal values: what the log, and its hash chain, contain in place of them (ADR 29).

A placeholder is a commitment to the value: SHA-256 over a random salt, the person and the value. While the value is
stored, it proves that the value is the one that was logged; when value and salt are erased, it reveals nothing.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from stockbuddy.contracts.personal_data import ERASED

PREFIX = "erasable"
_PLACEHOLDER = re.compile(f"{PREFIX}[0-9a-f]{{64}}")
SALT_BYTES = 16

OwnedValue = tuple[str, str]
"""A person and one of their values."""


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """A value with the salt of its placeholder."""

    person: str
    value: str
    salt: bytes

    @classmethod
    def create(cls, person: str, value: str) -> Self:
        return cls(person, value, secrets.token_bytes(SALT_BYTES))

    @property
    def placeholder(self) -> str:
        committed = self.salt + self.person.encode() + b"\0" + self.value.encode()
        return PREFIX + hashlib.sha256(committed).hexdigest()


def placeholders_in(text: str) -> list[str]:
    return _PLACEHOLDER.findall(text) if PREFIX in text else []


def disclose_text(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in place of their placeholders."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[0], ERASED), text) if PREFIX in text else text


def disclose_json(document: str, values: Mapping[str, str]) -> str:
    """Like `disclose_text`, for a JSON text: placeholders are within its strings."""
    if PREFIX not in document:
        return document
    return _PLACEHOLDER.sub(lambda match: json.dumps(values.get(match[0], ERASED))[1:-1], document)
