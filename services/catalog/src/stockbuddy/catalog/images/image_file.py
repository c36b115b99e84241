"""Validates image files by their content, not by their name, removes their metadata, and creates thumbnails.

A file of a few bytes may declare gigabytes of pixels, so the declared size is checked before anything is decoded. An
image with metadata, such as the place where a phone took it, is turned upright and encoded again without them.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageOps

from stockbuddy.catalog.errors import BrokenImage, UnsupportedImage

MAX_PIXELS = 40_000_000
DIGEST_LENGTH = 32
CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
THUMBNAIL_SIZES = {"thumbnail": 160, "medium": 640}
"""The longest side, in pixels."""
THUMBNAIL_TYPE = "image/webp"
THUMBNAIL_QUALITY = 80
QUALITY = 92
MULTI_PICTURE = "MPO"
"""Pillow's name for a JPEG with several pictures, as phones write it."""
METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment", "Raw profile type exif"})
HARMLESS_SEGMENTS = frozenset({("APP0", b"JFIF"), ("APP2", b"ICC_"), ("APP14", b"Adob")})
"""JPEG segments that are needed to decode the picture; all others are metadata."""

# MAX_PIXELS is checked instead; Pillow's own limit would log warnings below it.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A valid image. `thumbnails` are WebP files by the name of their size."""

    content: bytes
    digest: str
    content_type: str
    width: int
    height: int
    thumbnails: Mapping[str, bytes]


def decode_image(content: bytes) -> ImageFile:
    """Blocks for the time of decoding. Raises UnsupportedImage or BrokenImage."""
    try:
        image = Image.open(io.BytesIO(content), formats=tuple(CONTENT_TYPES))
    except Exception as error:  # the decoders raise many types
        raise UnsupportedImage() from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise BrokenImage(f"The image has more than {MAX_PIXELS // 1_000_000} million pixels.")
        kind = "JPEG" if image.format == MULTI_PICTURE else image.format or ""
        try:
            if _has_metadata(image):
                upright = ImageOps.exif_transpose(image)
                content, size = _encode(upright, kind, image.info.get("icc_profile")), upright.size
                thumbnails = _create_thumbnails(upright)
            else:
                size, thumbnails = image.size, _create_thumbnails(image)
        except Exception as error:
            raise BrokenImage() from error
    digest = hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
    return ImageFile(content, digest, CONTENT_TYPES[kind], *size, thumbnails)


def _has_metadata(image: Image.Image) -> bool:
    """True also for a JPEG with several pictures, each with metadata of its own. Decodes a PNG, whose texts may follow
    the pixels."""
    if image.format == "PNG":
        image.load()
        return bool(METADATA.intersection(image.info) or getattr(image, "text", None))
    segments = {(name, data[:4]) for name, data in getattr(image, "applist", ())}
    return (
        image.format == MULTI_PICTURE
        or bool(METADATA.intersection(image.info))
        or any((name, start) not in HARMLESS_SEGMENTS for name, start in segments)
    )


def _encode(image: Image.Image, kind: str, colour_profile: bytes | None) -> bytes:
    target = io.BytesIO()
    # The colours depend on the profile, which says nothing about the picture's origin.
    options = {} if kind == "PNG" else {"quality": QUALITY}
    clean = image.copy()
    clean.info = {name: value for name, value in image.info.items() if name == "transparency"}
    clean.save(target, kind, icc_profile=colour_profile, exif=b"", **options)
    return target.getvalue()


def _create_thumbnails(image: Image.Image) -> dict[str, bytes]:
    """From the largest to the smallest, each scaled from the previous one."""
    # JPEG can be decoded at a fraction of its size; every byte is still read and checked.
    image.draft("RGB", (max(THUMBNAIL_SIZES.values()),) * 2)
    image.load()
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    upright = ImageOps.exif_transpose(image).convert("RGBA" if has_alpha else "RGB")
    thumbnails = {}
    for name, side in sorted(THUMBNAIL_SIZES.items(), key=lambda size: -size[1]):
        upright.thumbnail((side, side))
        target = io.BytesIO()
        upright.save(target, "WEBP", quality=THUMBNAIL_QUALITY)
        thumbnails[name] = target.getvalue()
    return thumbnails
