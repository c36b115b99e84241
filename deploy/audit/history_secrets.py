"""Finds secrets in every line that a commit of the history added: `git clone` publishes them all, also deleted ones.

Findings that someone reviewed are listed in `reviewed.txt` by their SHA-1, with the reason.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.scan import scan_diff
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.settings import transient_settings

REVIEWED = Path(__file__).with_name("reviewed.txt")
# These guess from entropy and variable names, which finds mostly hashes and test data; the others know a token's form.
GUESSING_PLUGINS = {"Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector"}


def secrets_of_history(repository: Path) -> Iterator[tuple[str, PotentialSecret]]:
    """Each new secret with the commit that added it."""
    classes: Iterable[type] = get_mapping_from_secret_type_to_class().values()
    existing = {plugin.__name__ for plugin in classes}
    plugins = existing - GUESSING_PLUGINS
    known = reviewed()
    with transient_settings({"plugins_used": [{"name": name} for name in sorted(plugins)]}):
        for commit in _git(repository, "rev-list", "--no-merges", "--all").split():
            added = _git(repository, "show", "--format=", "--unified=0", "--no-ext-diff", "--no-renames", commit)
            for secret in scan_diff(added):
                if secret.secret_hash not in known and not is_test_url(secret):
                    known.add(secret.secret_hash)
                    yield commit, secret


def is_test_url(secret: PotentialSecret) -> bool:
    """Tests are full of URLs with invented passwords; a token there is still found by its form."""
    return secret.type == BasicAuthDetector.secret_type and "tests" in Path(secret.filename).parts


def reviewed() -> set[str]:
    return {line.split()[0] for line in REVIEWED.read_text().splitlines() if line and not line.startswith("#")}


def main() -> int:
    found = 0
    for commit, secret in secrets_of_history(Path.cwd()):
        found += 1
        print(f"{secret.type} in {secret.filename} of commit {commit[:10]}; sha1 {secret.secret_hash}")
    if found:
        print(
            "Revoke each real one; add the SHA-1 of each false positive to deploy/audit/reviewed.txt.", file=sys.stderr
        )
    return 1 if found else 0


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, errors="replace").stdout


if __name__ == "__main__":
    sys.exit(main())
