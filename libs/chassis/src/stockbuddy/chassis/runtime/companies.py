"""One installation for several companies: each has its own databases, broker, files and host name (docs/adr/0041).

`COMPANIES` lists their names. In every other setting `{company}` stands for the name of the company.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import combinations
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from stockbuddy.chassis.runtime.common_names import CommonNames, split_by_commas

COMPANY_HEADER = b"x-company"
"""The gateway tells services which company a request belongs to; it drops the header of clients."""
PLACEHOLDER = "{company}"
SEPARATE_SETTINGS = (
    "database_url",
    "database_read_url",
    "bus_url",
    "image_store",
    "public_url",
    "cdn_url",
    "backup_directory",
)
"""Must differ between companies, as far as they are set."""
SEPARATE_DIRECTORIES = ("image_store",)

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
        given = {
            name: for_company(value, company) if isinstance(value, str) else value for name, value in values.items()
        }
        return directories | given


def for_company(text: str, company: str | None) -> str:
    """`text` with the name of the company where it has `{company}`."""
    return text if company is None else text.replace(PLACEHOLDER, company)


def describe_shared(settings: Sequence[CompanySettings]) -> list[str]:
    """One line for each setting that two companies share but must not."""
    lines = {}
    for one, other in combinations(settings, 2):
        for name in SEPARATE_SETTINGS:
            value = getattr(one, name, None)
            if value is not None and value == getattr(other, name):
                lines[name] = (
                    f"{name.upper()}: {one.company} and {other.company} have the same value; put {PLACEHOLDER} into it"
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
