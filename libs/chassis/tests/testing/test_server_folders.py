"""Folders of test servers: in memory, deleted afterwards, also those of killed runs."""

from __future__ import annotations

import os
import time
from pathlib import Path

from stockbuddy.chassis.testing.server_folders import STALE_SECONDS, server_folder


def test_folder_is_in_memory_and_folders_of_killed_runs_are_deleted(tmp_path: Path) -> None:
    with server_folder(tmp_path, min_free_bytes=0) as running:
        killed = tmp_path / "stockbuddy-test-killed"
        (killed / "18").mkdir(parents=True)
        long_ago = time.time() - STALE_SECONDS - 60
        os.utime(killed, (long_ago, long_ago))
        with server_folder(tmp_path, min_free_bytes=0) as folder:
            assert set(tmp_path.iterdir()) == {running, folder}
    assert not list(tmp_path.iterdir())


def test_folder_is_on_disk_without_room_in_memory(tmp_path: Path) -> None:
    for memory, free in ((tmp_path / "missing", 0), (tmp_path, 2**80)):
        with server_folder(memory, min_free_bytes=free) as folder:
            assert folder.is_dir()
            assert not folder.is_relative_to(tmp_path)
    assert not folder.exists()
