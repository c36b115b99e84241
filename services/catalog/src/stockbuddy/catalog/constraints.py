"""Which rule of the database a refused write broke."""

from sqlalchemy.exc import DBAPIError


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the broken constraint or unique index, or None when it was something else."""
    cause = error.orig.__cause__ if error.orig is not None else None
    name: str | None = getattr(cause, "constraint_name", None)
    return name
