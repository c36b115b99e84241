"""What counts as a picture: its bytes decide, not its name. Also makes the smaller ones.

A file of a few bytes may claim to be gigabytes of pixels: its claim is read and refused before anything is decoded.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageOps

from stockbuddy.catalog.errors import BrokenImage, UnsupportedImage

MOST_PIXELS = 40_000_000
CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
THUMBNAILS = {"thumbnail": 160, "medium": 640}
"""The longest side, in pixels."""
THUMBNAIL_TYPE = "image/webp"

# Ours is the only limit, and it is checked before pixels are decoded; Pillow's would warn on the way.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A verified picture. `thumbnails` are WebP, by the name of their size."""

    content: bytes
    digest: str
    content_type: str
    width: int
    height: int
    thumbnails: Mapping[str, bytes]


def read_picture(content: bytes) -> Picture:
    """Blocks for as long as decoding takes. Raises UnsupportedImage or BrokenImage."""
    try:
        image = Image.open(io.BytesIO(content), formats=tuple(CONTENT_TYPES))
    except Exception as error:  # decoders raise whatever their formats make them
        raise UnsupportedImage() from error
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise BrokenImage(f"The image has more than {MOST_PIXELS // 1_000_000} million pixels.")
        content_type = CONTENT_TYPES[image.format or ""]
        size = image.size
        try:
            thumbnails = _thumbnails(image)
        except Exception as error:
            raise BrokenImage() from error
    return Picture(content, hashlib.sha256(content).hexdigest()[:32], content_type, *size, thumbnails)


def _thumbnails(image: Image.Image) -> dict[str, bytes]:
    """From the largest down, each from the one before."""
    # JPEG can be decoded at a fraction of its size; every byte is still read and checked.
    image.draft("RGB", (max(THUMBNAILS.values()),) * 2)
    image.load()
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    upright = ImageOps.exif_transpose(image).convert("RGBA" if has_alpha else "RGB")
    made = {}
    for name, side in sorted(THUMBNAILS.items(), key=lambda size: -size[1]):
        upright.thumbnail((side, side))
        target = io.BytesIO()
        upright.save(target, "WEBP", quality=80)
        made[name] = target.getvalue()
    return made
