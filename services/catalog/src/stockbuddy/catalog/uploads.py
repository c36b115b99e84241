"""Uploaded files: the raw body or the multipart field `file`, read up to a size limit. Other form fields have the
effect of the query parameters with their names."""

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from stockbuddy.chassis.http.errors import BadRequest, TooLarge, Unprocessable

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_MULTIPART_OVERHEAD_BYTES = 4096
MAX_FORM_FIELDS = 10
MAX_FILE_NAME_LENGTH = 255

_BINARY = {"type": "string", "format": "binary"}


def request_body(name: str, **fields: Mapping[str, Any]) -> dict[str, Any]:
    """For a route's `openapi_extra`. `name`: of the form's schema; `fields`: schemas of the form's other fields."""
    form = {
        "title": name,
        "type": "object",
        "required": ["file"],
        "properties": {"file": _BINARY, **fields},
        "additionalProperties": False,
    }
    content = {"multipart/form-data": {"schema": form}, "application/octet-stream": {"schema": _BINARY}}
    return {"requestBody": {"required": True, "content": content}}


@dataclass(frozen=True, slots=True)
class Upload:
    """`file_name` is None for a raw body. `fields`: the other fields of the form."""

    content: bytes
    file_name: str | None
    fields: Mapping[str, str] = field(default_factory=dict)


async def read_upload(request: Request, *, known_fields: Collection[str] = ()) -> Upload:
    """`known_fields`: names that the form may have besides `file`. Raises TooLarge as soon as the limit is exceeded,
    BadRequest or Unprocessable for an invalid form."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        content = b"".join([chunk async for chunk in _read_limited(request, MAX_FILE_BYTES)])
        return _require_valid_size(Upload(content, None))
    chunks = _read_limited(request, MAX_FILE_BYTES + MAX_MULTIPART_OVERHEAD_BYTES)
    parser = MultiPartParser(request.headers, chunks, max_files=1, max_fields=MAX_FORM_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise BadRequest("The body is not a valid form.") from error
    try:
        return _require_valid_size(await _read_form(form, known_fields))
    finally:
        await form.close()


async def _read_form(form: FormData, known_fields: Collection[str]) -> Upload:
    fields: dict[str, str] = {}
    file: UploadFile | None = None
    for name, value in form.multi_items():
        if name == "file" and isinstance(value, UploadFile):
            file = value
        elif name not in known_fields or isinstance(value, UploadFile):
            raise Unprocessable.field(name, "is a file only in the field file" if name == "file" else "is unknown")
        elif name in fields:
            raise Unprocessable.field(name, "occurs twice")
        else:
            fields[name] = value
    if file is None:
        raise Unprocessable.field("file", "is missing", "missing")
    return Upload(await file.read(), _printable_name(file.filename or ""), fields)


def _printable_name(name: str) -> str | None:
    return "".join(character for character in name if character.isprintable())[:MAX_FILE_NAME_LENGTH] or None


def _require_valid_size(upload: Upload) -> Upload:
    if len(upload.content) > MAX_FILE_BYTES:
        raise TooLarge()
    if not upload.content:
        raise Unprocessable.field("file", "is empty", "file_empty")
    return upload


async def _read_limited(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise TooLarge()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise TooLarge()
        yield chunk
