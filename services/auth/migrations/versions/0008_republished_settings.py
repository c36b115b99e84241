"""Publish the settings again if the catalog's copy lacks their time zone; UTC is its default.

A queue that the catalog declares later receives them from the archive: the services may be upgraded in any order.
"""

from alembic import op
from sqlalchemy import text

from stockbuddy.chassis.messaging import former_outbox
from stockbuddy.contracts.auth import SettingsChanged

revision = "0008"
down_revision = "0007"

NEW_VERSION = """
    UPDATE system_settings SET version = version + 1 WHERE timezone <> 'UTC'
    RETURNING version, company_name, currency, timezone, registration_open, default_low_stock_threshold, alert_emails,
        negative_stock
"""


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(text(NEW_VERSION)).mappings().all()
    former_outbox.insert(connection, [SettingsChanged.model_validate(row) for row in rows])
