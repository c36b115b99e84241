"""Images in S3 are part of a backup, and are restored to the store that is configured."""

from pathlib import Path

import obstore
import pytest

from deploy.embedded.tests.backup.conftest import settings_for
from stockbuddy.catalog.file_store import open_store
from stockbuddy.chassis.testing.s3_server import private_s3_server
from stockbuddy.embedded.backup.create_backup import create_backup
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.restore_backup import restore_backup
from stockbuddy.embedded.backup.settings import BackupSettings
from stockbuddy.local_servers.ports import free_port

NAME = "images/7/0123/original"
KEYS = {"s3_access_key_id": "key", "s3_secret_access_key": "secret"}


async def test_images_are_copied_from_bucket_to_bucket_and_to_a_directory(
    source: str, settings: BackupSettings, tmp_path: Path
) -> None:
    with private_s3_server("shop") as url:
        bucket = {"s3_endpoint_url": url, **KEYS}
        in_bucket = settings_for(settings.data, image_store="s3://shop/pictures", **bucket)
        for number in range(3):
            obstore.put(open_store(in_bucket), f"{NAME}-{number}", b"picture" * number)
        obstore.put(open_store(settings_for(settings.data, image_store="s3://shop", **bucket)), "other", b"not ours")
        await create_backup(source, tmp_path / "shop.backup", in_bucket)

        moved = settings_for(tmp_path / "moved", image_store="s3://shop/restored", **bucket)
        await restore_backup(tmp_path / "shop.backup", moved)
        await restore_backup(tmp_path / "shop.backup", settings_for(tmp_path / "local"))
        restored = open_store(moved)
        assert sorted(item["path"] for page in obstore.list(restored) for item in page) == [
            f"{NAME}-{number}" for number in range(3)
        ]
        for number in range(3):
            assert bytes(obstore.get(restored, f"{NAME}-{number}").bytes()) == b"picture" * number
            assert (tmp_path / f"local/images/{NAME}-{number}").read_bytes() == b"picture" * number


async def test_images_of_a_directory_are_restored_to_a_bucket(
    source: str, settings: BackupSettings, tmp_path: Path
) -> None:
    await create_backup(source, tmp_path / "shop.backup", settings)
    with private_s3_server("shop") as url:
        target = settings_for(tmp_path / "target", image_store="s3://shop/pictures", s3_endpoint_url=url, **KEYS)
        await restore_backup(tmp_path / "shop.backup", target)
        assert bytes(obstore.get(open_store(target), NAME).bytes()) == b"an image" * 1000


async def test_unreachable_bucket_fails_the_backup_and_keeps_the_former_one(
    source: str, settings: BackupSettings, tmp_path: Path
) -> None:
    backup = tmp_path / "shop.backup"
    backup.write_text("former")
    unreachable = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(BackupFailed, match="s3://shop are not available"):
        await create_backup(
            source, backup, settings_for(settings.data, image_store="s3://shop", s3_endpoint_url=unreachable, **KEYS)
        )
    assert backup.read_text() == "former"
