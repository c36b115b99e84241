"""Encryption of a backup file with age (https://age-encryption.org/v1), in constant memory.

The file is a line with the format, a one-time key encrypted for the operator's key (armored age) or passphrase (scrypt
and Fernet), and the content encrypted for the one-time key (age).
"""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.settings import BackupSettings

FORMAT = b"stockbuddy-backup 1\n"
_ANY_FORMAT = b"stockbuddy-backup "
_END_OF_KEY = b"-----END AGE ENCRYPTED FILE-----\n"
_PASSPHRASE = b"passphrase "
MAX_KEY_LINES = 100
MAX_LINE_BYTES = 1000
SALT_BYTES = 16
NO_KEY = "Set BACKUP_PASSPHRASE, or the key of `stockbuddy backup new-key`: BACKUP_RECIPIENT or BACKUP_KEY_FILE."
DAMAGED = "The backup is damaged or incomplete: use another one."


def create_key_file(path: Path) -> str:
    """Write a new key, readable by its owner only. Returns its recipient (age1…), with which backups are made."""
    identity = pyrage.x25519.Identity.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BackupFailed(f"Can't write the key to {path}: {error.strerror}.") from None
    return str(identity.to_public())


@contextmanager
def encrypted(target: BinaryIO, settings: BackupSettings) -> Iterator[BinaryIO]:
    """A stream whose content is written to `target` encrypted; complete if the block ends without an error."""
    identity = pyrage.x25519.Identity.generate()
    target.write(FORMAT + _encrypt_key(str(identity).encode(), settings))
    with _piped(lambda reading, _: pyrage.encrypt_io(reading, target, [identity.to_public()]), "w") as stream:
        yield stream


@contextmanager
def decrypted(source: BinaryIO, settings: BackupSettings) -> Iterator[BinaryIO]:
    """The content of a backup. Raises BackupFailed at once for another key, and at the latest when the block ends for a
    damaged file; what was read before is authentic."""
    identity = pyrage.x25519.Identity.from_str(_read_key(source, settings))
    with _piped(lambda _, writing: pyrage.decrypt_io(source, writing, [identity]), "r") as stream:
        yield stream


@contextmanager
def _piped(transform: Callable[[BinaryIO, BinaryIO], object], side: str) -> Iterator[BinaryIO]:
    """Run `transform` in a thread, with one end of a pipe; yields the other end. An error of the thread explains that
    of the block, which then sees a broken pipe or an early end."""
    read_end, write_end = os.pipe()
    reading, writing = os.fdopen(read_end, "rb"), os.fdopen(write_end, "wb")
    ours, theirs = (writing, reading) if side == "w" else (reading, writing)

    def run() -> None:
        with theirs:
            transform(reading, writing)

    with ThreadPoolExecutor(1) as executor:
        future: Future[None] = executor.submit(run)
        try:
            with ours:
                yield ours
                if side == "r":
                    while ours.read(1 << 20):  # up to the end, which is authenticated as well
                        pass
        except Exception as error:
            failure = future.exception()
            if failure is None or (side == "r" and isinstance(failure, BrokenPipeError)):
                raise
            raise _explain(failure, side) from error
        if (failure := future.exception()) is not None:
            raise _explain(failure, side)


def _explain(failure: BaseException, side: str) -> BaseException:
    if side == "r":
        return BackupFailed(DAMAGED)
    return BackupFailed(f"The backup can't be written: {failure}.")


def _encrypt_key(identity: bytes, settings: BackupSettings) -> bytes:
    if settings.backup_passphrase is None:
        return bytes(pyrage.encrypt(identity, [_recipient(settings)], armored=True))
    salt = os.urandom(SALT_BYTES)
    token = Fernet(_derive_key(settings.backup_passphrase, salt)).encrypt(identity)
    return b"%b%b %b\n" % (_PASSPHRASE, urlsafe_b64encode(salt), token)


def _derive_key(passphrase: SecretStr, salt: bytes) -> bytes:
    """A key of Fernet. The cost is fixed: age's own passphrases refuse a cost that a slower machine finds too high."""
    text = passphrase.get_secret_value().encode()
    return urlsafe_b64encode(hashlib.scrypt(text, salt=salt, n=1 << 17, r=8, p=1, maxmem=1 << 28, dklen=32))


def _recipient(settings: BackupSettings) -> Any:
    if settings.backup_recipient is not None:
        try:
            return pyrage.x25519.Recipient.from_str(settings.backup_recipient)
        except pyrage.RecipientError:
            raise BackupFailed("BACKUP_RECIPIENT is no public key of age (age1…).") from None
    if settings.backup_key_file is None:
        raise BackupFailed(NO_KEY)
    return _load_identity(settings.backup_key_file).to_public()


def _read_key(source: BinaryIO, settings: BackupSettings) -> str:
    format_line = source.readline(len(FORMAT) + 8)
    if format_line != FORMAT:
        is_newer = format_line.startswith(_ANY_FORMAT)
        raise BackupFailed(
            "The backup has the format of a newer release: restore it with that release."
            if is_newer
            else "The file is no backup of Stockbuddy."
        )
    line = source.readline(MAX_LINE_BYTES)
    if line.startswith(_PASSPHRASE):
        return _decrypt_with_passphrase(line, settings)
    lines = [line]
    while lines[-1] not in (_END_OF_KEY, b"") and len(lines) < MAX_KEY_LINES:
        lines.append(source.readline(MAX_LINE_BYTES))
    if lines[-1] != _END_OF_KEY:
        raise BackupFailed(DAMAGED)
    return _decrypt_with_key_file(b"".join(lines), settings)


def _decrypt_with_passphrase(line: bytes, settings: BackupSettings) -> str:
    if settings.backup_passphrase is None:
        raise BackupFailed("The backup is encrypted for a passphrase: set BACKUP_PASSPHRASE.")
    salt, _, token = line.removeprefix(_PASSPHRASE).rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or len(salt) != len(urlsafe_b64encode(bytes(SALT_BYTES))):
        raise BackupFailed(DAMAGED)
    try:
        return Fernet(_derive_key(settings.backup_passphrase, urlsafe_b64decode(salt))).decrypt(token).decode()
    except (InvalidToken, ValueError):
        raise BackupFailed("BACKUP_PASSPHRASE is not the one that the backup was encrypted for.") from None


def _decrypt_with_key_file(wrapped: bytes, settings: BackupSettings) -> str:
    if settings.backup_key_file is None:
        raise BackupFailed("The backup is encrypted for a key: set BACKUP_KEY_FILE.")
    try:
        return bytes(pyrage.decrypt(wrapped, [_load_identity(settings.backup_key_file)])).decode()
    except pyrage.DecryptError:
        raise BackupFailed("BACKUP_KEY_FILE is not the key that the backup was encrypted for.") from None


def _load_identity(path: Path) -> Any:
    try:
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        return pyrage.x25519.Identity.from_str(lines[0])
    except OSError as error:
        raise BackupFailed(f"BACKUP_KEY_FILE: can't read {path}: {error.strerror}.") from None
    except (pyrage.IdentityError, IndexError, UnicodeDecodeError):
        raise BackupFailed(f"BACKUP_KEY_FILE: {path} has no key of age (AGE-SECRET-KEY-1…).") from None
