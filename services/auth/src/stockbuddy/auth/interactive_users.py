"""Authorisation of interactive users: API keys have their role's permissions, but no access to the owner's account."""

from typing import Annotated

from fastapi import Depends

from stockbuddy.auth.errors import InteractiveOnly
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.tokens import Principal


async def require_interactive_user(caller: Caller) -> Principal:
    if parse_session_id(caller.session_id) is None:
        raise InteractiveOnly()
    return caller


InteractiveUser = Annotated[Principal, Depends(require_interactive_user)]
