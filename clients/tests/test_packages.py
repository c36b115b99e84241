"""What is generated is current; sizes and import time are within their budgets; the examples of the READMEs run."""

import asyncio
import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

from clients import generate
from clients.tests.node import NODE
from stockbuddy.chassis.testing.clients import User

CLIENTS = Path(__file__).parents[1]
BUNDLE = CLIENTS / "typescript" / "dist" / "bundle.min.js"
MAX_BUNDLE_BYTES = 12_000
MAX_WHEEL_BYTES = 300_000
MAX_IMPORT_SHARE = 0.5
MAX_CORE_LINES = 700
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CLIENTS / "python" / "src")}


def test_generated_modules_are_current() -> None:
    """In a process of its own: other tests import modules with more error classes."""
    program = [sys.executable, str(CLIENTS / "generate.py"), "check"]
    result = subprocess.run(program, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_member_belongs_to_an_error_class() -> None:
    assert set(generate.MEMBERS) <= {name for name, *_ in generate.error_classes()}


def test_bundle_of_a_page_with_a_till_is_small() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes())) <= MAX_BUNDLE_BYTES


def test_package_is_typed_for_its_users() -> None:
    """`@ts-expect-error` fails where there is no error, as if types were missing."""
    compiler = CLIENTS / "typescript/node_modules/typescript/bin/tsc"
    command = [NODE, str(compiler), "--project", str(CLIENTS / "tests")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_wheel_is_small() -> None:
    (wheel,) = (CLIENTS.parent / "build" / "clients").glob("*.whl")
    assert wheel.stat().st_size <= MAX_WHEEL_BYTES


def test_import_is_fast_compared_with_its_dependency() -> None:
    """As a share of the CPU time that importing httpx2 takes, which depends on no machine's speed: a quarter, 40 of
    160 ms, where the budget is 60 ms. The best of three runs, with room for other processes."""
    program = (
        "import time; start = time.process_time()\n"
        "import httpx2, dataclasses, asyncio, decimal, email.utils, urllib.parse, uuid, contextlib, threading\n"
        "middle = time.process_time(); import stockbuddy_client; end = time.process_time()\n"
        "print((end - middle) / (middle - start))"
    )
    command = [sys.executable, "-c", program]
    runs = [subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) <= MAX_IMPORT_SHARE


def test_hand_written_cores_are_small() -> None:
    """The core: everything but events and the list of resources."""
    package = CLIENTS / "python" / "src" / "stockbuddy_client"
    shared = ["credentials.py", "exact.py", "problems.py", "retries.py", "_sync/clock.py"]
    modules = ["authenticator", "clock", "resources", "transport"]
    python = [*(package / name for name in shared), *(package / "_async" / f"{name}.py" for name in modules)]
    names = ["authenticator", "exact", "problems", "resources", "retries", "transport"]
    typescript = [CLIENTS / "typescript" / "src" / f"{name}.ts" for name in names]
    for files in (python, typescript):
        assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= MAX_CORE_LINES


async def test_examples_of_the_readmes_run(gateway_url: str, shop: dict[str, str], admin: User, tmp_path: Path) -> None:
    runs = [("python", "python", [sys.executable]), ("typescript", "js", [NODE])]
    for number, (folder, language, command) in enumerate(runs):
        readme = (CLIENTS / folder / "README.md").read_text(encoding="utf-8")
        (example,) = re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)
        for old, new in [
            ("http://127.0.0.1:8000", gateway_url),
            ("sbk_…", shop["key"]),
            ("MUG-7", f"README-{number}"),
            ("@stockbuddy/client", (CLIENTS / "typescript/dist/index.js").as_uri()),
        ]:
            example = example.replace(old, new)
        program = tmp_path / f"example-{number}.{'py' if language == 'python' else 'mjs'}"
        program.write_text(example, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *command, str(program), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert output.decode().split()[1] == "9.80", output
    assert (await admin.get("/sales", search="README-"))["total"] == len(runs)
