"""The image: unprivileged user, signals, and a build context without tests and private files."""

import asyncio
import re
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    return (root / "deploy/Dockerfile").read_text()


def test_image_runs_as_unprivileged_user_and_receives_signals(dockerfile: str) -> None:
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["stockbuddy"\]$', last_stage, re.MULTILINE), "a shell would not forward signals"
    assert re.search(r"^HEALTHCHECK .* CMD \[", last_stage, re.MULTILINE)
    assert "PIP_INDEX_URL" not in last_stage
    assert "NPM_REGISTRY" not in last_stage
    assert re.search(r"^COPY --from=console /app/build/console/site /app/console/site$", last_stage, re.MULTILINE)
    assert "CONSOLE_DIRECTORY=/app/console" in last_stage


def test_build_context_excludes_tests_and_private_files(root: Path) -> None:
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        *("requirements.lock", "requirements-dev.lock", "requirements-console.lock"),
        *("deploy/healthcheck.py", "deploy/build_console.py", "libs", "services", "gateway"),
        *("deploy/embedded/pyproject.toml", "deploy/embedded/src", "deploy/pgbouncer/*.ini"),
        *("clients/typescript/src", "console"),
        *("docs/guide", "docs/api.md", "docs/events.md", "docs/imports.md"),
    }
    assert "**/tests" in rules


def test_copied_code_reads_no_package_metadata(root: Path) -> None:
    """The code is on the path of the image; the members are not installed."""
    sources = [path for member in ("libs", "services", "gateway") for path in (root / member).glob("**/src/**/*.py")]
    readers = [path for path in sources if re.search(r"""\bversion\(["']stockbuddy""", path.read_text())]
    assert sources
    assert not readers


@pytest.mark.parametrize(("body", "code"), [(b'{"code": "https_required"}', 0), (b'{"code": "forbidden"}', 1)])
async def test_health_check_accepts_a_gateway_that_demands_https(root: Path, body: bytes, code: int) -> None:
    async def respond(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, root / "deploy/healthcheck.py"), env={"PORT": str(port)}
        )
        assert await process.wait() == code
