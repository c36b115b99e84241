"""The key of the URLs of images."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_URL_KEY = text("SELECT key FROM image_url_key")


async def read_url_key(session: AsyncSession) -> bytes:
    """The key that signs the URLs of images."""
    key: bytes = (await session.execute(_URL_KEY)).scalar_one()
    return key
