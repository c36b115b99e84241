"""The constraint that a rejected write violated."""

from sqlalchemy.exc import DBAPIError

BARCODE_CONSTRAINTS = ("barcode_pkey", "barcode_key_unique")


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the violated constraint or unique index; None for other errors."""
    cause = error.orig.__cause__ if error.orig is not None else None
    name: str | None = getattr(cause, "constraint_name", None)
    return name
