"""Responses of images."""

from pydantic import BaseModel

from stockbuddy.catalog.images.image_file import THUMBNAIL_SIZES, ImageFile


class ImageResponse(BaseModel):
    """`thumbnails` are URLs by size."""

    image_url: str
    thumbnails: dict[str, str]
    content_type: str
    width: int
    height: int
    size_bytes: int

    @classmethod
    def from_image(cls, product_id: int, image: ImageFile) -> "ImageResponse":
        url = f"/api/v1/products/{product_id}/image?v={image.digest}"
        return cls(
            image_url=url,
            thumbnails={size: f"{url}&size={size}" for size in THUMBNAIL_SIZES},
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            size_bytes=len(image.content),
        )
