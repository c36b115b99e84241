"""Rejects unknown query parameters, because a misspelt filter must not be ignored, and bodies that are not JSON."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from stockbuddy.chassis.http.errors import Unprocessable, invalid_field
from stockbuddy.chassis.http.request_bodies import require_json


class StrictQueryRoute(APIRoute):
    """A route that answers 422 to a query parameter that it does not declare, and 415 to a body of another media type
    than its body parameters have."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = frozenset(_query_names(self.dependant))
        reads_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)

        async def handle_known(request: Request) -> Response:
            if request.scope["query_string"] and (unknown := request.query_params.keys() - known):
                message = "is not a query parameter of this call"
                errors = [invalid_field(name, message, "unknown_parameter", {}) for name in sorted(unknown)]
                raise Unprocessable("The request is not valid; see errors.", errors=errors)
            if reads_json:
                require_json(request.headers)
            return await handle(request)

        return handle_known


def _query_names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (info.alias or name for name, info in model.model_fields.items())
        else:
            yield field.alias
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)
