"""Data replica of auth's system settings: what e-mails need of them."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UPSERT = text("""
    INSERT INTO company AS replica (version, name, alert_emails) VALUES (:version, :name, :alert_emails)
    ON CONFLICT (single) DO UPDATE
        SET version = excluded.version, name = excluded.name, alert_emails = excluded.alert_emails
    WHERE replica.version < excluded.version
""")
_COMPANY = text("SELECT name, alert_emails FROM company")


@dataclass(frozen=True, slots=True)
class Company:
    """The company's name, and the addresses that receive alerts besides users."""

    name: str = "Stockbuddy"
    alert_emails: tuple[str, ...] = ()


async def upsert_company(session: AsyncSession, version: int, company: Company) -> None:
    values = {"version": version, "name": company.name, "alert_emails": list(company.alert_emails)}
    await session.execute(_UPSERT, values)


async def get_company(session: AsyncSession) -> Company:
    """The defaults until auth has published its settings."""
    row = (await session.execute(_COMPANY)).one_or_none()
    return Company(row.name, tuple(row.alert_emails)) if row else Company()
