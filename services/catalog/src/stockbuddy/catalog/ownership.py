"""Who may change what: managers and admins everything, salespeople what they created."""

from stockbuddy.catalog.errors import NotOwner
from stockbuddy.chassis.http.tokens import Principal


def require_ownership(caller: Principal, owner_id: int | None) -> None:
    if not caller.is_manager and caller.user_id != owner_id:
        raise NotOwner()
