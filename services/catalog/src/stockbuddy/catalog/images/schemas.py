"""Query parameters and responses of images."""

from typing import Literal

from pydantic import BaseModel, Field

from stockbuddy.catalog.images.image_file import THUMBNAIL_SIZES, ImageFile
from stockbuddy.catalog.signed_urls import MAX_EXPIRES

MAX_LENGTH = 100
ImageSize = Literal["original", "medium", "thumbnail"]


class ImageQuery(BaseModel):
    """The parameters of a signed URL, all or none of them."""

    size: ImageSize = "original"
    v: str | None = Field(None, max_length=MAX_LENGTH, description="Identifies the image, so that its URL is unique.")
    expires: int | None = Field(None, ge=0, le=MAX_EXPIRES, description="Unix time.")
    signature: str | None = Field(None, max_length=MAX_LENGTH)


class ImageResponse(BaseModel):
    """`thumbnails` are URLs by size. The URLs are signed: for one or two days they need no credentials."""

    image_url: str
    thumbnails: dict[str, str]
    content_type: str
    width: int
    height: int
    size_bytes: int

    @classmethod
    def from_image(cls, url: str, image: ImageFile) -> "ImageResponse":
        return cls(
            image_url=url,
            thumbnails={size: f"{url}&size={size}" for size in THUMBNAIL_SIZES},
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size_bytes=len(image.content),
        )
