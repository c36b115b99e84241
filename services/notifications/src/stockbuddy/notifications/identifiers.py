"""Ids as they come in paths, queries and bodies: whatever PostgreSQL's bigint can hold, and nothing that it can't."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

LARGEST = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=LARGEST)]
PathId = Annotated[int, Path(ge=1, le=LARGEST)]
