"""Uploaded files: the raw body or the multipart field `file`, read up to a size limit."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from stockbuddy.chassis.http.errors import BadRequest, TooLarge, Unprocessable

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_MULTIPART_OVERHEAD_BYTES = 4096
MAX_FORM_FIELDS = 10
MAX_FILE_NAME_LENGTH = 255

REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""For a route's `openapi_extra`."""


@dataclass(frozen=True, slots=True)
class Upload:
    """`file_name` is None for a raw body."""

    content: bytes
    file_name: str | None


async def read_upload(request: Request) -> Upload:
    """Raises TooLarge as soon as the limit is exceeded, BadRequest or Unprocessable for an invalid form."""
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
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Unprocessable.field("file", "is missing")
        return _require_valid_size(Upload(await file.read(), _printable_name(file.filename or "")))
    finally:
        await form.close()


def _printable_name(name: str) -> str | None:
    return "".join(character for character in name if character.isprintable())[:MAX_FILE_NAME_LENGTH] or None


def _require_valid_size(upload: Upload) -> Upload:
    if len(upload.content) > MAX_FILE_BYTES:
        raise TooLarge()
    if not upload.content:
        raise Unprocessable.field("file", "is empty")
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
