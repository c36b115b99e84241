"""Data replica of auth's system settings: what e-mails need of them."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UPSERT = text("""
    INSERT INTO company_replica AS replica (version, name, alert_emails) VALUES (:version, :name, :alert_emails)
    ON CONFLICT (single) DO UPDATE
        SET version = excluded.version, name = excluded.name, alert_emails = excluded.alert_emails
    WHERE replica.version < excluded.version
""")
_COMPANY = text("SELECT name, alert_emails FROM company_replica")


@dataclass(frozen=True, slots=True)
class CompanyReplica:
    """The company's name, and the addresses that receive alerts besides users."""

    name: str = "Stockbuddy"
    alert_emails: tuple[str, ...] = ()


async def upsert_company(session: AsyncSession, version: int, company: CompanyReplica) -> None:
    values = {"version": version, "name": company.name, "alert_emails": list(company.alert_emails)}
    await session.execute(_UPSERT, values)


async def get_company(session: AsyncSession) -> CompanyReplica:
    """The defaults until auth has published its settings."""
    row = (await session.execute(_COMPANY)).one_or_none()
    return CompanyReplica(row.name, tuple(row.alert_emails)) if row else CompanyReplica()
