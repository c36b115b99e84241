"""Events of product imports."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class ImportFinished(Event):
    """An import came to its end: `finished`, or `failed` as a whole (rows may fail in one that finished)."""

    type: ClassVar[str] = "catalog.import.finished"
    subject_template: ClassVar[str] = "import/{import_id}"

    import_id: int
    state: str
    dry_run: bool
    total: int | None = None
    created: int
    updated: int
    unchanged: int
    failed: int
    problem: str | None = None
