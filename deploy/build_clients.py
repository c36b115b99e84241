"""Builds the client libraries into build/clients: a wheel, and a package for npm with its bundle for browsers.
Lints the documents of the API before.

`python -m deploy.build_clients`; Node is the machine's or from PyPI, as for the web console.
"""

import os
import shutil
import sys
from pathlib import Path

from deploy.build_console import (
    BUILD,
    CLIENT,
    ROOT,
    BuildFailed,
    find_node,
    install_node,
    install_packages,
    locked,
    run,
)

OUTPUT = BUILD / "clients"
LINTERS = ROOT / "docs" / "lint"
PYTHON = Path(sys.executable)


def main() -> int:
    try:
        with locked():
            build()
    except BuildFailed as error:
        print(f"The client libraries could not be built: {error}.", file=sys.stderr)
        return 1
    return 0


def build() -> None:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    node, npm = find_node() or install_node()
    path = f"{node.parent}:{os.environ['PATH']}"
    for folder in (LINTERS, CLIENT):
        install_packages(folder, node, npm, with_tools=True)
    for linter in ("spectral", "redocly", "asyncapi"):
        run([*npm, "run", "--silent", linter], LINTERS, PATH=path)
    run([PYTHON, "clients/generate.py", "types"], ROOT, PATH=path)
    run([*npm, "run", "build"], CLIENT, PATH=path)
    run([*npm, "run", "size"], CLIENT, PATH=path)
    run([*npm, "pack", "--silent", "--pack-destination", OUTPUT, "--cache", BUILD / "npm-cache"], CLIENT, PATH=path)
    options = ["--quiet", "--no-build-isolation", "--python", str(PYTHON), "--wheel", "--out-dir", str(OUTPUT)]
    run([PYTHON.with_name("uv"), "build", *options, "clients/python"], ROOT)
    (OUTPUT / "built").touch()


if __name__ == "__main__":
    sys.exit(main())
