"""SKUs for products that have none in the shop system that they come from."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

MAX_SKU_LENGTH = 100
DIGEST_LENGTH = 8


def generate_sku(base: str, options: Sequence[str]) -> str:
    """`t-shirt` with the options Red and M becomes `t-shirt-red-m`; a long one ends with a digest of the rest."""
    decomposed = unicodedata.normalize("NFKD", "-".join([base, *options]).casefold())
    letters = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    sku = re.sub(r"[\W_]+", "-", letters).strip("-")
    if len(sku) <= MAX_SKU_LENGTH:
        return sku
    digest = hashlib.sha256(sku.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{sku[: MAX_SKU_LENGTH - DIGEST_LENGTH - 1]}-{digest}"
