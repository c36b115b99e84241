"""What a user, an API key or an app may do: permissions, warehouses, and the limit of discounts."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from stockbuddy.chassis.access.permissions import Permission, sorted_names
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock


@dataclass(frozen=True, slots=True)
class Rights:
    """`role`: the name for people. None means: all warehouses, no limit."""

    role: str
    permissions: frozenset[Permission]
    warehouse_ids: frozenset[int] | None = None
    max_discount_percent: Decimal | None = None

    @property
    def digest(self) -> str:
        """Differs for rights that differ."""
        warehouse_ids = None if self.warehouse_ids is None else sorted(self.warehouse_ids)
        text = f"{sorted_names(self.permissions)} {warehouse_ids} {self.max_discount_percent}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def limited_to(self, limit: "Rights") -> Self:
        """What both allow, under this role's name."""
        return replace(
            self,
            permissions=self.permissions & limit.permissions,
            warehouse_ids=common_warehouses(self.warehouse_ids, limit.warehouse_ids),
            max_discount_percent=_smaller(self.max_discount_percent, limit.max_discount_percent),
        )

    def within(self, permissions: Collection[str] | None, warehouse_ids: Collection[int] | None = None) -> Self:
        """Restricted to these permissions and warehouses; None: not restricted."""
        scopes = self.permissions if permissions is None else frozenset(p for p in Permission if p in permissions)
        restriction = None if warehouse_ids is None else frozenset(warehouse_ids)
        return self.limited_to(Rights(self.role, scopes, restriction))

    def exceed(self, limit: "Rights") -> bool:
        """True if they allow anything that `limit` does not."""
        return self.limited_to(limit) != self

    def to_principal(
        self, user_id: int, username: str, sid: str, *, lifetime_seconds: int, is_renewed: bool = False
    ) -> Principal:
        """The claims of an access token with these rights."""
        return Principal(
            user_id=user_id,
            username=username,
            role=self.role,
            permissions=self.permissions,
            session_id=sid,
            warehouse_ids=self.warehouse_ids,
            expires_at=int(clock.now().timestamp()) + lifetime_seconds,
            max_discount_percent=self.max_discount_percent,
            is_renewed=is_renewed,
        )


def rights_of(caller: Principal) -> Rights:
    return Rights(caller.role, caller.permissions, caller.warehouse_ids, caller.max_discount_percent)


def common_warehouses(first: frozenset[int] | None, second: frozenset[int] | None) -> frozenset[int] | None:
    """The intersection; None means all."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _smaller(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    limits = [limit for limit in (first, second) if limit is not None]
    return min(limits, default=None)
