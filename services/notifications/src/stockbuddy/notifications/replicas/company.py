"""Data replica of auth's system settings: what e-mails and filters need of them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_UPSERT = text("""
    INSERT INTO company_replica AS replica (version, name, alert_emails, timezone)
    VALUES (:version, :name, :alert_emails, :timezone)
    ON CONFLICT (single) DO UPDATE
        SET version = excluded.version, name = excluded.name, alert_emails = excluded.alert_emails,
            timezone = excluded.timezone
    WHERE replica.version < excluded.version
""")
_COMPANY = text("SELECT name, alert_emails, timezone FROM company_replica")


@dataclass(frozen=True, slots=True)
class CompanyReplica:
    """The company's name, the addresses that receive alerts besides users, and its time zone (IANA)."""

    name: str = "Stockbuddy"
    alert_emails: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


async def upsert_company(session: AsyncSession, version: int, company: CompanyReplica) -> None:
    values = {
        "version": version,
        "name": company.name,
        "alert_emails": list(company.alert_emails),
        "timezone": company.timezone,
    }
    await session.execute(_UPSERT, values)


async def get_company(session: AsyncSession) -> CompanyReplica:
    """The defaults until auth has published its settings."""
    row = (await session.execute(_COMPANY)).one_or_none()
    return CompanyReplica(row.name, tuple(row.alert_emails), row.timezone) if row else CompanyReplica()
