"""A backup is restored as a whole, or not at all with the reason: another key, a damaged file, a target with data."""

import asyncio
import os
from datetime import UTC, datetime, time
from pathlib import Path

import asyncpg
import pytest

from stockbuddy.embedded.backup.create_backup import create_backup
from stockbuddy.embedded.backup.database_state import find_differences
from stockbuddy.embedded.backup.directory import delete_old_backups, is_backup_due, list_backups
from stockbuddy.embedded.backup.encryption import create_key_file
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.restore_backup import restore_backup
from stockbuddy.embedded.backup.schedule import DailyBackup
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.embedded.backup.verify_backup import verify_backup
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.server_discovery import find_running_url

PASSPHRASE = "correct horse battery"


def settings_for(data: Path, **values: object) -> BackupSettings:
    defaults = {"STOCKBUDDY_DATA": data, "image_store": str(data / "images"), "backup_passphrase": PASSPHRASE}
    return BackupSettings.model_validate(defaults | values)


async def epoch_of(url: str) -> int:
    connection = await asyncpg.connect(url)
    epoch: int = await connection.fetchval("SELECT epoch FROM notifications.event_log_epoch")
    await connection.close()
    return epoch


async def test_restored_data_directory_has_the_backup(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    backup, target = tmp_path / "kept/shop.backup", tmp_path / "target"
    manifest = await create_backup(source, backup, settings)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert b"a group of a test" not in backup.read_bytes()
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    assert (await verify_backup(backup, settings)).manifest == manifest

    assert await restore_backup(backup, settings_for(target)) == manifest
    assert (target / "images/images/7/0123/original").read_bytes() == b"an image" * 1000
    assert (target / "secrets/secret_key").read_text() == os.environ["SECRET_KEY"]
    assert (target / "credentials.json").read_text() == "{}"
    assert {path.name for path in target.iterdir()} == {"images", "secrets", "credentials.json", "postgres"}
    assert find_running_url(target / "postgres") is None
    with LocalPostgres.start(target / "postgres") as server:
        assert find_running_url(target / "postgres") == server.url
        assert await find_differences(server.url, manifest) == []
        assert await epoch_of(server.url) != await epoch_of(source), "cursors of later events are unknown"
    with pytest.raises(BackupFailed, match="postgres exists: restore into another STOCKBUDDY_DATA"):
        await restore_backup(backup, settings_for(target))


ADD_PERIODS = """
    SET search_path TO auth;
    INSERT INTO idempotency_key (caller, key, fingerprint) VALUES ('1', 'a', ''), ('1', 'b', '');
    SELECT start_period('idempotency_key', 'ORDER BY key DESC LIMIT 1');
    SET search_path TO notifications;
    INSERT INTO event_log (position, event_id, type, at, audited, attributes, data, hash)
    SELECT number, gen_random_uuid(), 'a', now(), false, '{}', '{}', decode(repeat('00', 32), 'hex')
    FROM generate_series(1, 3) number;
    SELECT start_log_period('ORDER BY position DESC LIMIT 1')
"""


async def test_tables_of_former_periods_are_restored(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    connection = await asyncpg.connect(source)
    await connection.execute(ADD_PERIODS)
    await connection.close()
    manifest = await create_backup(source, tmp_path / "shop.backup", settings)
    assert (manifest.rows["auth.idempotency_key"], manifest.rows["notifications.event_log"]) == (2, 3)

    await restore_backup(tmp_path / "shop.backup", settings_for(tmp_path / "target"))
    with LocalPostgres.start(tmp_path / "target/postgres") as server:
        assert await find_differences(server.url, manifest) == []
        restored = await asyncpg.connect(server.url, server_settings={"search_path": "notifications"})
        assert await restored.fetchval("SELECT array_agg(position) FROM ONLY event_log") == [3]
        await restored.execute("SELECT start_log_period('LIMIT 0')")
        assert await restored.fetchval("SELECT count(*) FROM event_log") == 3
        await restored.close()


async def test_restored_database_that_differs_is_reported(
    source: str, settings: BackupSettings, tmp_path: Path
) -> None:
    manifest = await create_backup(source, tmp_path / "shop.backup", settings)
    connection = await asyncpg.connect(source)
    await connection.execute("INSERT INTO auth.outbox_group (name) VALUES ('another')")
    await connection.close()
    rows = manifest.rows["auth.outbox_group"]
    assert await find_differences(source, manifest) == [f"auth.outbox_group: {rows + 1} rows instead of {rows}"]
    with pytest.raises(BackupFailed, match=r"The database is not empty \(auth\.\w+ exists\)"):
        await restore_backup(tmp_path / "shop.backup", settings_for(tmp_path / "target", database_url=source))


async def test_key_file_restores_what_its_recipient_encrypted(
    source: str, settings: BackupSettings, tmp_path: Path
) -> None:
    key, other = tmp_path / "key", tmp_path / "other"
    recipient = create_key_file(key)
    create_key_file(other)
    with pytest.raises(BackupFailed, match="Can't write the key"):
        create_key_file(key)
    backup = tmp_path / "shop.backup"
    data = tmp_path / "source"
    await create_backup(source, backup, settings_for(data, backup_passphrase=None, backup_recipient=recipient))
    for keys, reason in (
        ({"backup_passphrase": "another passphrase"}, "encrypted for a key: set BACKUP_KEY_FILE"),
        ({"backup_passphrase": None, "backup_key_file": other}, "BACKUP_KEY_FILE is not the key"),
        ({"backup_passphrase": None, "backup_key_file": tmp_path / "none"}, "can't read"),
        ({"backup_passphrase": None, "backup_key_file": backup}, "has no key of age"),
        ({"backup_passphrase": None}, "encrypted for a key: set BACKUP_KEY_FILE"),
    ):
        with pytest.raises(BackupFailed, match=reason):
            await verify_backup(backup, settings_for(data, **keys))
    await verify_backup(backup, settings_for(data, backup_passphrase=None, backup_key_file=key))

    await create_backup(source, backup, settings)
    for keys, reason in (
        ({"backup_passphrase": "another passphrase"}, "BACKUP_PASSPHRASE is not the one"),
        ({"backup_passphrase": None, "backup_key_file": key}, "encrypted for a passphrase: set BACKUP_PASSPHRASE"),
    ):
        with pytest.raises(BackupFailed, match=reason):
            await verify_backup(backup, settings_for(data, **keys))


async def test_damaged_file_restores_no_database(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    await create_backup(source, tmp_path / "shop.backup", settings)
    whole = (tmp_path / "shop.backup").read_bytes()
    damaged, target = tmp_path / "damaged", tmp_path / "target"
    middle = len(whole) // 2
    for content, reason in (
        (whole[:10], "no backup of Stockbuddy"),
        (b"PGDMP" + whole, "no backup of Stockbuddy"),
        (whole.replace(b"stockbuddy-backup 1", b"stockbuddy-backup 2", 1), "format of a newer release"),
        (whole[:200], "damaged or incomplete"),
        (whole[: whole.index(b"age-encryption.org") + 60], "damaged or incomplete"),
        (whole[:middle], "damaged or incomplete"),
        (whole[:-1], "damaged or incomplete"),
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "damaged or incomplete"),
    ):
        damaged.write_bytes(content)
        with pytest.raises(BackupFailed, match=reason):
            await restore_backup(damaged, settings_for(target))
        assert not (target / "postgres").exists()
    assert not target.exists(), "nothing was restored"
    await restore_backup(tmp_path / "shop.backup", settings_for(target))


async def test_backup_of_a_newer_release_is_refused(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    connection = await asyncpg.connect(source)
    await connection.execute("UPDATE stock.schema_version SET version_num = '9999'")
    await connection.close()
    await create_backup(source, tmp_path / "shop.backup", settings)
    with pytest.raises(BackupFailed, match=r"newer schema of stock \(9999\): restore it with that release"):
        await verify_backup(tmp_path / "shop.backup", settings)


async def test_secret_with_another_content_is_kept(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    await create_backup(source, tmp_path / "shop.backup", settings)
    kept = tmp_path / "target/secrets/secret_key"
    kept.parent.mkdir(parents=True)
    kept.write_text("another key")
    with pytest.raises(BackupFailed, match="secret_key exists with another content: move it away"):
        await restore_backup(tmp_path / "shop.backup", settings_for(tmp_path / "target"))
    assert kept.read_text() == "another key"
    assert not (tmp_path / "target/postgres").exists()


async def test_failed_backup_leaves_the_former_one(source: str, settings: BackupSettings, tmp_path: Path) -> None:
    backup = tmp_path / "shop.backup"
    await create_backup(source, backup, settings)
    former = backup.read_bytes()
    missing = source.replace("?", "_of_another_name?") if "?" in source else f"{source}_of_another_name"
    for url in (missing, "postgresql://ann:secret@127.0.0.1:1/shop"):
        with pytest.raises(BackupFailed, match="can't be reached") as failure:
            await create_backup(url, backup, settings)
        assert "secret" not in str(failure.value)
    with pytest.raises(BackupFailed, match=r"fails: .*File exists"):
        await create_backup(source, backup / "below-a-file", settings)
    assert backup.read_bytes() == former


def test_newest_backups_are_kept_and_a_missed_one_is_due(tmp_path: Path) -> None:
    at = time(2)
    assert is_backup_due(tmp_path, at, datetime(2026, 3, 5, 1, tzinfo=UTC)), "the first one at once"
    for day in (1, 2, 3, 4):
        (tmp_path / f"stockbuddy-202603{day:02}T020001Z.backup").touch()
    (tmp_path / "another-file.backup").touch()
    assert not is_backup_due(tmp_path, at, datetime(2026, 3, 5, 1, 59, tzinfo=UTC))
    assert is_backup_due(tmp_path, at, datetime(2026, 3, 5, 2, 0, 1, tzinfo=UTC))
    assert is_backup_due(tmp_path, at, datetime(2026, 3, 9, 1, tzinfo=UTC)), "the machine was off"
    delete_old_backups(tmp_path, 2)
    assert [path.name for path in list_backups(tmp_path)] == [
        "stockbuddy-20260304T020001Z.backup",
        "stockbuddy-20260303T020001Z.backup",
    ]
    assert (tmp_path / "another-file.backup").exists()


async def test_daily_backup_is_created_and_a_failed_one_is_repeated_later(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "backups"
    for name, value in {
        "STOCKBUDDY_DATA": str(tmp_path / "data"),
        "IMAGE_STORE": str(tmp_path / "images"),
        "BACKUP_DIRECTORY": str(directory),
        "BACKUP_PASSPHRASE": PASSPHRASE,
    }.items():
        monkeypatch.setenv(name, value)
    at = datetime.now(UTC).time()
    backup = DailyBackup(directory, at, source)
    assert await backup.is_due()
    await asyncio.wait_for(backup.run(), 300)
    assert not await backup.is_due()
    assert len(list_backups(directory)) == 1

    failing = DailyBackup(tmp_path / "empty", at, "postgresql://ann@127.0.0.1:1/shop")
    await asyncio.wait_for(failing.run(), 300)
    assert not list_backups(tmp_path / "empty")
    assert not await failing.is_due(), "10 minutes later"
