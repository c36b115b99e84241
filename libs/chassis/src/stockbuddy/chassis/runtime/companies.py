"""One installation for several companies: each has its own databases, broker, files and host name (docs/adr/0041).

`COMPANIES` lists their names. In every other setting `{company}` stands for the name of the company.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import combinations
from os.path import normpath
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from stockbuddy.chassis.runtime.broker_url import virtual_host_of
from stockbuddy.chassis.runtime.common_names import CommonNames, split_by_commas
from stockbuddy.chassis.runtime.database_url import database_of

COMPANY_HEADER = b"x-company"
"""The gateway tells services which company a request belongs to; it drops the header of clients."""
PLACEHOLDER = "{company}"
SEPARATE_DIRECTORIES = ("image_store",)


def _host_of(url: str) -> str | None:
    return urlsplit(url).hostname


SEPARATE_SETTINGS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "database_url": ("database", database_of),
    "database_read_url": ("database", database_of),
    "bus_url": ("virtual host", virtual_host_of),
    "image_store": ("place", normpath),
    "public_url": ("host name", _host_of),
    "cdn_url": ("address", str.lower),
    "backup_directory": ("directory", normpath),
}
"""What must differ between companies, as far as it is set: not the texts, but what they lead to. Two users of one
database, for instance, share all of its rows."""

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?")
_current: ContextVar[str] = ContextVar("company", default="")


def _split(value: object) -> object:
    """Without repeated names."""
    names = split_by_commas(value)
    return tuple(dict.fromkeys(names)) if isinstance(names, tuple) else names


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name has 1 to 32 lower-case letters, digits and hyphens, as part of a host name")
    return name


Name = Annotated[str, AfterValidator(_check_name)]


class CompanyNames(CommonNames):
    """`companies`: of the installation; empty if it serves one company without a name. `company`: the only one that
    a program works for."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    companies: Annotated[tuple[Name, ...], NoDecode, BeforeValidator(_split)] = ()
    company: Annotated[Name | None, BeforeValidator(lambda name: name or None)] = None

    @model_validator(mode="after")
    def reject_unlisted_company(self) -> Self:
        if self.company is not None and self.companies and self.company not in self.companies:
            raise ValueError(f"COMPANY: {self.company} is not one of COMPANIES")
        return self

    @property
    def selected(self) -> tuple[str | None, ...]:
        """The companies that a program works for; (None,) in an installation of one company."""
        return self.companies or (None,) if self.company is None else (self.company,)


class CompanySettings(CompanyNames):
    """Settings in whose texts `{company}` is replaced by `company`, unless it is None. A company's own directory, if it
    is not set, is a folder in the default."""

    @model_validator(mode="before")
    @classmethod
    def insert_company(cls, values: dict[str, Any]) -> dict[str, Any]:
        company = values.get("company")
        if not company:
            return values
        directories = {
            name: f"{cls.model_fields[name].default}/{company}"
            for name in SEPARATE_DIRECTORIES
            if name in cls.model_fields and name not in values
        }
        return directories | {name: _insert(value, company) for name, value in values.items()}


def for_company(text: str, company: str | None) -> str:
    """`text` with the name of the company where it has `{company}`."""
    return text if company is None else text.replace(PLACEHOLDER, company)


def _insert(value: Any, company: str) -> Any:
    """`value` may be a document, such as the list of identity providers."""
    if isinstance(value, str):
        return for_company(value, company)
    if isinstance(value, dict):
        return {for_company(name, company): _insert(part, company) for name, part in value.items()}
    return [_insert(part, company) for part in value] if isinstance(value, list) else value


def describe_shared(settings: Sequence[CompanySettings]) -> list[str]:
    """One line for each setting that two companies share but must not."""
    lines = {}
    for one, other in combinations(settings, 2):
        for name, (target, target_of) in SEPARATE_SETTINGS.items():
            values = [getattr(one, name, None), getattr(other, name, None)]
            if None not in values and target_of(str(values[0])) == target_of(str(values[1])):
                lines[name] = (
                    f"{name.upper()}: {one.company} and {other.company} have the same {target}; "
                    f"put {PLACEHOLDER} into it"
                )
    return list(lines.values())


def current_company() -> str:
    """The company that this task works for; empty in an installation of one company."""
    return _current.get()


@contextmanager
def company_context(company: str | None) -> Iterator[None]:
    """Run a block for `company`: its log lines and metrics name it."""
    token = _current.set(company or "")
    try:
        yield
    finally:
        _current.reset(token)
