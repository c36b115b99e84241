"""An API key: it acts for its owner, within its own role and warehouses."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record
from stockbuddy.auth.session_ids import key_sid
from stockbuddy.auth.users.model import role_column
from stockbuddy.chassis.http.tokens import Role

RANKS = {role: rank for rank, role in enumerate(Role)}


class ApiKey(Record):
    """Of the secret a digest is kept, and its last characters as a hint. `warehouse_ids` null means its owner's.
    `generation` grows when the tokens given out for it must be refused although the key goes on."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(role_column)
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    generation: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def sid(self) -> str:
        """What its access tokens carry as `sid`."""
        return key_sid(self.id, self.generation)

    def exceeds(self, role: Role, warehouse_ids: Collection[int] | None) -> bool:
        """True when its own rights are not within those."""
        return exceeds_role(self.role, role) or exceeds_warehouses(self.warehouse_ids, warehouse_ids)


def exceeds_role(role: Role, limit: Role) -> bool:
    return RANKS[role] > RANKS[limit]


def exceeds_warehouses(wanted: Collection[int] | None, limit: Collection[int] | None) -> bool:
    """Null as a wish takes what there is; null as a limit is none."""
    return wanted is not None and limit is not None and not set(wanted) <= set(limit)


def common_warehouses(one: Collection[int] | None, other: Collection[int] | None) -> frozenset[int] | None:
    """What both reach; null means all."""
    if one is None or other is None:
        both = other if one is None else one
        return None if both is None else frozenset(both)
    return frozenset(one) & frozenset(other)
