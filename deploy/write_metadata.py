"""Writes the metadata of a package that is used in place: its name, version and entry points.

`python deploy/write_metadata.py FOLDER`, with the folder of a pyproject.toml.
"""

import sys
import tomllib
from pathlib import Path


def main(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    metadata = folder / "src" / f"{name.replace('-', '_')}.egg-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        line
        for group, commands in project.get("entry-points", {}).items()
        for line in [f"[{group}]", *(f"{command} = {target}" for command, target in commands.items())]
    ]
    (metadata / "entry_points.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
