"""The server and the API key of the command line: from the environment, or stored by `stockbuddy login`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Account:
    """`key_id`: the id of a key that `login` created and `logout` deletes; None for a key that the user entered."""

    username: str
    key: str
    key_id: int | None


class AccountFile:
    """A file, readable by its owner only, with an account per server's URL and the URL of the latest login."""

    def __init__(self) -> None:
        folder = os.environ.get("XDG_CONFIG_HOME") or click.get_app_dir("").rstrip("/\\")
        self.path = Path(folder) / "stockbuddy" / "accounts.json"

    def find(self, url: str) -> Account | None:
        stored = self._read()["accounts"].get(url)
        return Account(**stored) if stored else None

    def default_url(self) -> str:
        url: str = self._read().get("url") or DEFAULT_URL
        return url

    def store(self, url: str, account: Account) -> None:
        fields = {"username": account.username, "key": account.key, "key_id": account.key_id}
        self._write({"url": url, "accounts": self._read()["accounts"] | {url: fields}})

    def delete(self, url: str) -> None:
        content = self._read()
        content["accounts"].pop(url, None)
        self._write(content)

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"accounts": {}}
        except ValueError as error:
            raise click.ClickException(f"{self.path} is damaged ({error}); delete it and log in again") from error
        return content

    def _write(self, content: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        new.replace(self.path)
