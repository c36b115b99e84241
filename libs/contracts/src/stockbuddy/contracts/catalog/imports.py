"""Events of product imports."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class ImportFinished(Event):
    """An import ended: `finished` (single rows may have failed) or `failed` as a whole."""

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
