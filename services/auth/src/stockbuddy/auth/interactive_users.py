"""Callers who are people: an API key may do what its role may, but not touch what belongs to its owner's person."""

from typing import Annotated

from fastapi import Depends

from stockbuddy.auth.errors import PeopleOnly
from stockbuddy.auth.session_ids import session_id_of
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.tokens import Principal


async def require_person(caller: Caller) -> Principal:
    if session_id_of(caller.session_id) is None:
        raise PeopleOnly()
    return caller


Person = Annotated[Principal, Depends(require_person)]
