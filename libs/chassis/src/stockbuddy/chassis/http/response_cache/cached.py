"""Declares a route whose responses may be kept (ADR 43)."""

import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, get_args, get_origin
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import declared_problems, raises
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock

Endpoint = Callable[..., Awaitable[Response]]

MINUTE_SECONDS = 60
_REQUEST = inspect.Parameter("cached_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)


def cached(*, depends_on_time: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Decorate the endpoint of a GET that returns a response. Its arguments must be a ReadSession, through which it
    reads everything, and plain values, which together with the data determine the response. It can't have the request
    or its caller; what it needs of the caller, such as `CallerPermissions`, becomes part of the key.
    `depends_on_time`: the response also depends on the current time, and is kept until the minute ends."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        signature = inspect.signature(endpoint, eval_str=True)
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in signature.parameters.values()]
        for one in parameters:
            if _type_of(one) in (Request, Principal):
                raise TypeError(f"{endpoint.__name__} is cached and must not depend on `{one.name}`")

        @raises(*declared_problems(endpoint))
        @functools.wraps(endpoint)
        async def respond(cached_request: Request, **arguments: Any) -> Response:
            cache = get_resources(cached_request).cache
            if cache is None:
                return await endpoint(**arguments)
            values = dict(arguments)
            [session] = [values.pop(name) for name in arguments if isinstance(arguments[name], AsyncSession)]
            minute = int(clock.timestamp() // MINUTE_SECONDS) if depends_on_time else None
            key = f"{endpoint.__name__}:{_digest(values, minute)}"
            return await cache.find_or_produce(key, session, lambda: endpoint(**arguments))

        vars(respond)["__signature__"] = signature.replace(parameters=[*parameters, _REQUEST])
        return respond

    return decorate


def _type_of(parameter: inspect.Parameter) -> Any:
    annotation = parameter.annotation
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _digest(values: dict[str, Any], minute: int | None) -> str:
    parts = [f"{name}={_key_part(value)}" for name, value in sorted(values.items())]
    return hashlib.blake2b(repr((parts, minute)).encode(), digest_size=16).hexdigest()


def _key_part(value: Any) -> str:
    """Equal for equal values, different for different ones. Raises TypeError for a value that may do more than
    determine the response."""
    if isinstance(value, BaseModel):
        return f"{type(value).__name__}{value.model_dump(mode='python')!r}"
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, frozenset):
        return repr(sorted(map(_key_part, value)))
    if isinstance(value, Enum | bool | int | str | Decimal | date | None):
        return repr(value)
    if dataclasses.is_dataclass(value):
        return repr([_key_part(getattr(value, one.name)) for one in dataclasses.fields(value)])
    raise TypeError(f"a cached response must not depend on {type(value).__name__}")
