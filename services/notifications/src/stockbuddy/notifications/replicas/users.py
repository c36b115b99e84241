"""Read copies of what others own and we must know to tell people: who they are, and what things are called.

Every copy is latest-state-wins: an event that is older than what is known changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_COPY_PERSON = text("""
    INSERT INTO person AS known (id, version, username, email, full_name, role, is_active)
    VALUES (:id, :version, :username, :email, :full_name, :role, :is_active)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, username = excluded.username, email = excluded.email,
        full_name = excluded.full_name, role = excluded.role, is_active = excluded.is_active
    WHERE known.version < excluded.version
""")
_COPY_COMPANY = text("""
    INSERT INTO company AS known (version, name, alert_emails) VALUES (:version, :name, :alert_emails)
    ON CONFLICT (single) DO UPDATE
        SET version = excluded.version, name = excluded.name, alert_emails = excluded.alert_emails
    WHERE known.version < excluded.version
""")
_COPY_NAME = text("""
    INSERT INTO name AS known (subject, version, name) VALUES (:subject, :version, :name)
    ON CONFLICT (subject) DO UPDATE SET version = excluded.version, name = excluded.name
    WHERE known.version < excluded.version
""")
_NAMES = text("SELECT subject, name FROM name WHERE subject = ANY(:subjects)")
_IS_KNOWN = text("SELECT EXISTS (SELECT FROM person WHERE id = :id)")
_COMPANY = text("SELECT name, alert_emails FROM company")


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    version: int
    username: str
    email: str
    full_name: str | None
    role: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Company:
    """Of the system's settings, what mail needs."""

    name: str = "Stockbuddy"
    alert_emails: tuple[str, ...] = ()


async def copy_person(session: AsyncSession, person: Person) -> None:
    await session.execute(_COPY_PERSON, {name: getattr(person, name) for name in Person.__slots__})


async def copy_company(session: AsyncSession, version: int, company: Company) -> None:
    values = {"version": version, "name": company.name, "alert_emails": list(company.alert_emails)}
    await session.execute(_COPY_COMPANY, values)


async def copy_name(session: AsyncSession, subject: str, version: int, name: str) -> None:
    await session.execute(_COPY_NAME, {"subject": subject, "version": version, "name": name})


async def names_of(session: AsyncSession, subjects: Sequence[str]) -> dict[str, str]:
    """By subject; without those that nobody has told us of yet."""
    rows = await session.execute(_NAMES, {"subjects": list(subjects)})
    return {row.subject: row.name for row in rows}


async def is_known(session: AsyncSession, user_id: int) -> bool:
    return bool(await session.scalar(_IS_KNOWN, {"id": user_id}))


async def company(session: AsyncSession) -> Company:
    row = (await session.execute(_COMPANY)).one_or_none()
    return Company(row.name, tuple(row.alert_emails)) if row else Company()
