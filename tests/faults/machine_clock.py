"""The clock of one program's machine, which a test steps while the program runs (libfaketime)."""

from collections.abc import Mapping
from pathlib import Path

INSTALLED = Path("/usr/lib")
LIBRARY = "*/faketime/libfaketimeMT.so.1"
NOTICED_WITHIN_SECONDS = 1


class MachineClock:
    """The monotonic clock is not affected, as it is not by a step of a real clock."""

    def __init__(self, file: Path) -> None:
        library = next(INSTALLED.glob(LIBRARY), None)
        assert library is not None, "libfaketime is not installed: deploy/install-servers faults"
        self._file = file
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": str(NOTICED_WITHIN_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.step(0)

    def step(self, offset_seconds: int) -> None:
        """`offset_seconds`: difference to the clock of the other machines."""
        renamed = self._file.with_suffix(".new")
        renamed.write_text(f"{offset_seconds:+d}")
        renamed.rename(self._file)
