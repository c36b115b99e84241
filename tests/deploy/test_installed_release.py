"""A release as an operator installs it, without the repository: the command `stockbuddy` serves the whole system with
its guide and its console, backs it up and restores it."""

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.console.conftest import chromium_program

COMMAND_TIMEOUT_SECONDS = 120
START_TIMEOUT_SECONDS = 280
STOP_TIMEOUT_SECONDS = 60
TIMEOUT_MILLISECONDS = 120_000
LISTENING = re.compile(r"ready at (http://127\.0\.0\.1:\d+)")
PASSWORD = "violet-Harbour-71"
COMMANDS = (
    "audit", "backup", "consumers", "dead-letters", "demo", "doctor", "events", "export", "import", "listen", "login",
    "logout", "migrate", "orders", "products", "replay", "restore", "rotate-keys", "sales", "serve", "setup-token",
    "stock",
)  # fmt: skip


class Installation:
    """A virtual environment with the wheels, and an operator in an empty folder with an empty home."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self.folder = folder

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return {**own, "BACKUP_PASSPHRASE": "amber-Lantern-40", **settings}

    def run(self, *arguments: str, **settings: str) -> str:
        """Run `stockbuddy`; returns what it prints, and fails unless its exit code is 0."""
        done = subprocess.run(
            [self._program, *arguments],
            cwd=self.folder,
            env=self.environment(settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_SECONDS,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def serving(self, **settings: str) -> Iterator[tuple[str, list[str]]]:
        """Run `stockbuddy serve`; yields its address and the lines that it has printed."""
        process = subprocess.Popen(
            [self._program, "serve"],
            cwd=self.folder,
            env=self.environment({"PORT": "0", **settings}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        too_slow = threading.Timer(START_TIMEOUT_SECONDS, process.kill)
        too_slow.start()
        try:
            for line in process.stdout:
                lines.append(line)
                if found := LISTENING.search(line):
                    break
            else:
                pytest.fail("".join(lines))
            too_slow.cancel()
            reader = threading.Thread(target=lines.extend, args=[process.stdout])
            reader.start()
            yield found[1], lines
            process.terminate()
            assert process.wait(STOP_TIMEOUT_SECONDS) == 0
            reader.join()
        finally:
            too_slow.cancel()
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="module")
def installation(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheels of other projects are those of this environment, which are what requirements.lock pins."""
    folder = tmp_path_factory.mktemp("installed")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python, "--offline", "--no-deps"]
    subprocess.run([*install, *release.glob("*.whl")], check=True)
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip())
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        # Not the members of the repository, which stockbuddy.pth adds to the path.
        if not entry.name.startswith("stockbuddy") and not (packages / entry.name).exists():
            (packages / entry.name).symlink_to(entry)
    home = folder / "home"
    home.mkdir()
    return Installation(folder / "venv" / "bin" / "stockbuddy", home)


def test_commands_are_listed_and_describe_themselves(installation: Installation) -> None:
    listed = re.findall(r"^  ([a-z-]+) {2,}\S", installation.run("--help").partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == COMMANDS
    for command in ("audit", "demo", "events", "replay"):
        assert f"usage: stockbuddy {command}" in installation.run(command, "--help")


def test_shop_opens_is_backed_up_and_restored(installation: Installation) -> None:
    with installation.serving() as (url, lines):
        _register_first_admin(url)
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
            assert "Quick start" in httpx.get(f"{url}/guide/web-frontend").text
            assert "/api/v1/sales" in httpx.get(f"{url}/openapi.json").json()["paths"]
            _log_in(client)
            product = {"sku": "MUG-1", "name": "Mug", "unit_price": "7.50", "quantity": 10}
            assert client.post("/products", json=product).status_code == 201
            assert client.post("/sales", json={"product": "MUG-1", "quantity": 3}).status_code == 201
        installation.run("--url", url, "login", "--username", "ada", STOCKBUDDY_PASSWORD=PASSWORD)
        assert "consistent" in installation.run("doctor")
        installation.run("backup", "create", "shop.backup")
    assert not [line for line in lines if "warning" in line or "error" in line], "worry a newcomer"
    restored = {"STOCKBUDDY_DATA": "restored", "IMAGE_STORE": "restored/images"}
    assert "no secrets" in installation.run("restore", "shop.backup", **restored)
    assert "An admin exists already" in installation.run("setup-token", **restored)
    with installation.serving(**restored) as (url, _), httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
        _log_in(client)
        [level] = client.get("/stock-levels").json()["items"]
        assert (level["sku"], level["on_hand"]) == ("MUG-1", 7)


def _register_first_admin(url: str) -> None:
    """In the console."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        page = browser.new_page(locale="en-GB")
        page.set_default_timeout(TIMEOUT_MILLISECONDS)
        page.goto(url)
        page.get_by_label("User name").fill("ada")
        page.get_by_label("E-mail").fill("ada@example.com")
        page.locator("input[autocomplete=new-password]").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        expect(page.get_by_text("Add what you sell")).to_be_visible(timeout=TIMEOUT_MILLISECONDS)
        browser.close()


def _log_in(client: httpx.Client) -> None:
    response = client.post("/auth/login", data={"username": "ada", "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
