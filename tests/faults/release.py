"""The code of an earlier release, from the history of the repository, run by the interpreter of this one."""

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stockbuddy.contracts.topology import PRODUCERS

ROOT = Path(__file__).parents[2]
MEMBERS = ("libs", "services", "gateway")
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Release:
    """`folder` has the members in the layout of the repository."""

    folder: Path

    @classmethod
    def checked_out(cls, commit: str, folder: Path) -> "Release":
        """Extract a commit, which a shallow clone lacks."""
        git = shutil.which("git")
        assert git is not None
        archive = subprocess.run([git, "archive", commit, *MEMBERS, "docs"], cwd=ROOT, capture_output=True, check=False)
        assert archive.returncode == 0, f"no commit {commit} of the previous release: git fetch --unshallow"
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as members:
            members.extractall(folder, filter="data")
        return cls(folder)

    @property
    def environment(self) -> Mapping[str, str]:
        """Its modules take precedence over the installed ones."""
        sources = [path for member in MEMBERS for path in sorted((self.folder / member).glob("**/src"))]
        return {"PYTHONPATH": os.pathsep.join(map(str, sources))}

    async def migrate(self, database_url: str) -> None:
        for service in PRODUCERS:
            found = await self._run("-c", f"import stockbuddy.{service}.app as app; print(app.__file__)")
            assert Path(found.strip()).is_relative_to(self.folder)
            await self._run("-m", f"stockbuddy.{service}", "migrate", DATABASE_URL=database_url)

    async def _run(self, *arguments: str, **variables: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            env={**os.environ, **self.environment, "ENV": "development", **variables},
            stdout=subprocess.PIPE,
        )
        output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
        assert process.returncode == 0
        return output.decode()
