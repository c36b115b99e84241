"""SQL of checkpoints and their keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Identity, Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, SortOrder, fetch_page
from stockbuddy.notifications.orm import Base


class CheckpointKey(Base):
    __tablename__ = "checkpoint_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    encrypted_private_key: Mapped[bytes]
    created_at: Mapped[datetime]


class Checkpoint(Base):
    __tablename__ = "checkpoint"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    position: Mapped[int]
    epoch: Mapped[int]
    audited: Mapped[int]
    hash: Mapped[bytes]
    kid: Mapped[str]
    jws: Mapped[str]
    signed_at: Mapped[datetime]


# One replica signs; the others skip the round.
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('notifications.checkpoint'))")
_HEAD = text("""
    SELECT h.position, h.audited, h.hash, e.epoch, l.type
    FROM event_log_head h CROSS JOIN event_log_epoch e LEFT JOIN event_log l ON l.position = h.position
""")
# The first checkpoint is due when the log is as old as the interval.
DUE = """
    SELECT FROM event_log_head
    WHERE coalesce((SELECT max(signed_at) FROM checkpoint), (SELECT at FROM event_log ORDER BY position LIMIT 1))
        <= now() - make_interval(secs => $1)
"""


async def try_lock(session: AsyncSession) -> bool:
    """False while another replica signs."""
    return bool(await session.scalar(_TRY_LOCK))


async def read_head(session: AsyncSession) -> Row[Any]:
    """`position, audited, hash, epoch`, and `type`, that of the last entry."""
    return (await session.execute(_HEAD)).one()


async def find_last_checkpoint(session: AsyncSession) -> Checkpoint | None:
    return await session.scalar(select(Checkpoint).order_by(Checkpoint.id.desc()).limit(1))


async def list_checkpoints(session: AsyncSession, query: PageQuery) -> PageSlice[Checkpoint]:
    """Newest first."""
    order = SortOrder("id_desc", (Checkpoint.id,), descending=True)
    return await fetch_page(session, select(Checkpoint), order, query)


async def list_keys(session: AsyncSession) -> Sequence[CheckpointKey]:
    """Newest first."""
    newest_first = (CheckpointKey.created_at.desc(), CheckpointKey.kid)
    return (await session.scalars(select(CheckpointKey).order_by(*newest_first))).all()
