"""Validates image files by their content, not by their name, and creates thumbnails.

A file of a few bytes may declare gigabytes of pixels, so the declared size is checked before anything is decoded.
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
        content_type = CONTENT_TYPES[image.format or ""]
        size = image.size
        try:
            thumbnails = _create_thumbnails(image)
        except Exception as error:
            raise BrokenImage() from error
    return ImageFile(content, hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH], content_type, *size, thumbnails)


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
