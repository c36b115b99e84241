"""What clients see of images."""

from pydantic import BaseModel

from stockbuddy.catalog.images.pictures import THUMBNAILS, Picture


class ShownImage(BaseModel):
    """`thumbnails` are the addresses of the smaller ones, by size."""

    image_url: str
    thumbnails: dict[str, str]
    content_type: str
    width: int
    height: int
    size_bytes: int

    @classmethod
    def of(cls, product_id: int, picture: Picture) -> "ShownImage":
        url = f"/api/v1/products/{product_id}/image?v={picture.digest}"
        return cls(
            image_url=url,
            thumbnails={size: f"{url}&size={size}" for size in THUMBNAILS},
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            size_bytes=len(picture.content),
        )
