"""Images through the API, in a directory and in an S3-compatible store."""

import base64
import hmac
import io
import re
import struct
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from httpx2 import AsyncClient
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import SecretStr

from stockbuddy.catalog.app import CatalogSettings
from stockbuddy.chassis.testing.s3_server import private_s3_server
from stockbuddy.local_servers.ports import free_port

START_TIMEOUT_SECONDS = 60
BINARY = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A private S3-compatible server with a bucket `shop`."""
    with private_s3_server("shop") as url:
        yield url


@pytest.fixture(params=["directory", "s3"])
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> CatalogSettings:
    common = CatalogSettings(env="development", database_url=database_url, image_store=str(tmp_path / "images"))
    if request.param == "directory":
        return common
    url = request.getfixturevalue("s3_url")
    return common.model_copy(
        update={
            "image_store": "s3://shop/pictures",
            "s3_endpoint_url": url,
            "s3_access_key_id": "key",
            "s3_secret_access_key": SecretStr("secret"),
        }
    )


@pytest.fixture
async def path(seller: AsyncClient) -> str:
    answer = await seller.post("/products", json={"name": "Cup", "sku": "CUP", "price": 1})
    return f"/products/{answer.json()['id']}"


def image_file(kind: str = "PNG", size: tuple[int, int] = (1200, 800), colour: str = "teal", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_image_upload_keeps_original_and_creates_thumbnails(seller: AsyncClient, path: str, kind: str) -> None:
    content = image_file(kind)

    put = await seller.put(f"{path}/image", content=content, headers={"Content-Type": "application/octet-stream"})

    assert put.status_code == 200, put.text
    assert put.json() | {"image_url": "", "thumbnails": {}} == {
        "image_url": "",
        "thumbnails": {},
        "content_type": f"image/{kind.lower()}",
        "width": 1200,
        "height": 800,
        "size_bytes": len(content),
    }
    product = (await seller.get(path)).json()
    assert (product["image_url"], product["version"]) == (put.json()["image_url"], 2)
    shown = await seller.get(product["image_url"].removeprefix("/api/v1"))
    assert (shown.content, shown.headers["content-type"]) == (content, f"image/{kind.lower()}")
    for size, side in (("medium", 640), ("thumbnail", 160)):
        small = await seller.get(put.json()["thumbnails"][size].removeprefix("/api/v1"))
        assert small.headers["content-type"] == "image/webp"
        assert max(Image.open(io.BytesIO(small.content)).size) == side


async def test_signed_url_shows_the_image_without_credentials(service: Any, seller: AsyncClient, path: str) -> None:
    await seller.put(f"{path}/image", content=image_file(), headers=BINARY)
    product = (await seller.get(path)).json()
    [listed] = (await seller.get("/products")).json()["items"]
    assert listed["image_url"] == product["image_url"]
    assert (await seller.patch(path, json={"name": "Mug"})).json()["image_url"] == product["image_url"]
    url = product["image_url"].removeprefix("/api/v1")
    async with service.client() as anonymous:
        shown = await anonymous.get(url)
        assert (shown.status_code, shown.content) == (200, image_file())
        assert shown.headers["Cache-Control"] == "public, max-age=86400, immutable"
        assert (await anonymous.get(f"{url}&size=thumbnail")).headers["content-type"] == "image/webp"
        refused = [
            path_of(url),
            url.replace("signature=", "signature=x"),
            url.replace("expires=", "expires=9"),
            url.replace("v=", "v=a"),
            url.replace("/products/", "/products/9"),
        ]
        for wrong in refused:
            assert (await anonymous.get(wrong)).status_code == 401, wrong
        await seller.put(f"{path}/image", content=image_file(colour="red"), headers=BINARY)
        replaced = await anonymous.get(url)
        assert (replaced.content, replaced.headers["Cache-Control"]) == (image_file(colour="red"), "private, no-cache")


async def test_signed_url_expires(service: Any, seller: AsyncClient, path: str, database_url: str) -> None:
    await seller.put(f"{path}/image", content=image_file(), headers=BINARY)
    url = (await seller.get(path)).json()["image_url"].removeprefix("/api/v1")
    query = parse_qs(urlsplit(url).query)
    assert time.time() + 86_400 < int(query["expires"][0]) <= time.time() + 2 * 86_400
    connection = await asyncpg.connect(database_url)
    try:
        key = await connection.fetchval("SELECT key FROM catalog.image_url_key")
    finally:
        await connection.close()
    async with service.client() as anonymous:
        for expires, status in ((int(time.time()) + 60, 200), (int(time.time()) - 1, 401)):
            message = f"{path.rpartition('/')[2]}:{query['v'][0]}:{expires}"
            signature = base64.urlsafe_b64encode(hmac.digest(key, message.encode(), "sha256")[:16]).decode().rstrip("=")
            signed = {"v": query["v"][0], "expires": expires, "signature": signature}
            shown = await anonymous.get(path_of(url), params=signed)
            assert shown.status_code == status
            if status == 200:
                cached = re.fullmatch(r"public, max-age=(\d+), immutable", shown.headers["Cache-Control"])
                assert cached is not None
                assert int(cached[1]) <= 60, "no longer than the URL is valid"
            else:
                assert "public" not in shown.headers.get("Cache-Control", "")


def path_of(url: str) -> str:
    return url.partition("?")[0]


async def test_image_upload_as_form_is_accepted(seller: AsyncClient, path: str) -> None:
    content = image_file()

    put = await seller.put(f"{path}/image", files={"file": ("cup.png", content, "image/png")})

    assert put.status_code == 200
    assert (await seller.get(f"{path}/image")).content == content
    missing = await seller.put(f"{path}/image", files={"picture": ("cup.png", content, "image/png")})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "picture")
    empty = await seller.put(f"{path}/image", files={"other": (None, "text")})
    assert empty.status_code == 422


async def test_image_is_replaced_and_deleted(service: Any, seller: AsyncClient, path: str) -> None:
    await seller.put(f"{path}/image", content=image_file(), headers=BINARY)
    first = await seller.get(f"{path}/image")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await seller.get(f"{path}/image", headers=known)).status_code == 304

    await seller.put(f"{path}/image", content=image_file(colour="red"), headers=BINARY)
    second = await seller.get(f"{path}/image", headers=known)
    assert (second.status_code, second.content) == (200, image_file(colour="red"))

    assert (await seller.delete(f"{path}/image")).status_code == 204
    for answer in (await seller.get(f"{path}/image"), await seller.delete(f"{path}/image")):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_image")
    assert (await seller.get(path)).json()["image_url"] is None
    events = await service.events.wait_for("catalog.product.updated", 3)
    assert [event["changes"] for event in events] == [["image"]] * 3


async def test_upload_of_same_image_changes_nothing(seller: AsyncClient, path: str) -> None:
    for _ in range(2):
        assert (await seller.put(f"{path}/image", content=image_file(), headers=BINARY)).status_code == 200

    assert (await seller.get(path)).json()["version"] == 2
    assert (await seller.get(f"{path}/image")).status_code == 200


def png_with_declared_size(width: int, height: int) -> bytes:
    """A small file that declares many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"hello", 415, "unsupported_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image"),
        (image_file("GIF"), 415, "unsupported_image"),
        (image_file("PNG")[:-200], 422, "broken_image"),
        (image_file("JPEG")[:-400], 422, "broken_image"),
        (png_with_declared_size(50_000, 50_000), 422, "broken_image"),
        (png_with_declared_size(6_000, 6_000), 422, "broken_image"),
        (b"x" * (10 * 1024 * 1024 + 1), 413, "body_too_large"),
        (b"", 422, "validation_error"),
    ],
    ids=["text", "svg", "gif", "cut png", "cut jpeg", "bomb", "truncated", "too large", "empty"],
)
async def test_upload_of_invalid_image_is_rejected(
    seller: AsyncClient, path: str, content: bytes, status: int, code: str
) -> None:
    answer = await seller.put(f"{path}/image", content=content, headers={"Content-Type": "image/png"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await seller.get(path)).json()["image_url"] is None


def gps_data() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90°
    exif[0x010F] = "Phone maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
async def test_photograph_is_served_upright_and_without_metadata(seller: AsyncClient, path: str, kind: str) -> None:
    options: dict[str, Any] = {"exif": gps_data()}
    if kind == "MPO":
        options |= {"save_all": True, "append_images": [Image.new("RGB", (1000, 500), "red")]}
    content = image_file(kind, (1000, 500), **options)

    put = await seller.put(f"{path}/image", content=content, headers=BINARY)

    assert put.status_code == 200, put.text
    assert (put.json()["width"], put.json()["height"]) == (500, 1000)
    shown = await seller.get(f"{path}/image")
    served = Image.open(io.BytesIO(shown.content))
    assert (served.format, served.size) == ("JPEG" if kind == "MPO" else kind, (500, 1000))
    assert (dict(served.getexif()), put.json()["size_bytes"]) == ({}, len(shown.content))
    assert b"Phone maker" not in shown.content
    assert b"Exif" not in shown.content


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_comments_in_an_image_are_removed(seller: AsyncClient, path: str, kind: str) -> None:
    texts = PngInfo()
    texts.add_text("Location", "52.5 13.4")
    options = {"comment": b"Location 52.5 13.4"} if kind == "JPEG" else {"pnginfo": texts}

    assert (await seller.put(f"{path}/image", content=image_file(kind, **options), headers=BINARY)).status_code == 200

    assert b"Location" not in (await seller.get(f"{path}/image")).content


async def test_permission_is_checked_before_an_image_is_read(service: Any, seller: AsyncClient, path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"
        pytest.fail("the body was read")

    async with service.client(6) as other:
        refused = await other.put(f"{path}/image", content=endless(), headers=BINARY)
        undecodable = await other.put(f"{path}/image", content=b"no image", headers=BINARY)

    assert (refused.status_code, undecodable.status_code) == (403, 403)
    assert (await seller.put("/products/99/image", content=b"no image", headers=BINARY)).status_code == 404


async def test_thumbnail_of_rotated_photograph_is_upright(seller: AsyncClient, path: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90°
    await seller.put(f"{path}/image", content=image_file("JPEG", (1000, 500), exif=exif), headers=BINARY)

    small = await seller.get(f"{path}/image", params={"size": "thumbnail"})

    assert Image.open(io.BytesIO(small.content)).size == (80, 160)


async def test_image_upload_by_other_salesperson_is_forbidden(service: Any, seller: AsyncClient, path: str) -> None:
    async with service.client(6) as other:
        assert (await other.put(f"{path}/image", content=image_file(), headers=BINARY)).status_code == 403
        assert (await other.delete(f"{path}/image")).status_code == 403
    stale = await seller.put(f"{path}/image", content=image_file(), headers=BINARY | {"If-Match": '"7"'})
    assert stale.status_code == 412
    assert (await seller.put("/products/99/image", content=image_file(), headers=BINARY)).status_code == 404


class TestUnavailableStore:
    """A store that does not respond."""

    @pytest.fixture
    def settings(self, database_url: str) -> CatalogSettings:
        return CatalogSettings(
            env="development",
            database_url=database_url,
            image_store="s3://shop/pictures",
            s3_endpoint_url=f"http://127.0.0.1:{free_port()}",
            s3_access_key_id="key",
            s3_secret_access_key=SecretStr("secret"),
        )

    async def test_image_upload_fails_and_changes_nothing(self, seller: AsyncClient, path: str) -> None:
        answer = await seller.put(f"{path}/image", content=image_file(), headers=BINARY)

        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert (await seller.get(path)).json()["version"] == 1
