"""Reports known vulnerabilities of the locked dependencies with pip-audit.

Where its database can't be reached, for example behind a package mirror, pip-audit skips dependencies and succeeds.
That is a notice here, and a failure if AUDIT_REQUIRED is set, as in the workflow.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-console.lock")
TIMEOUT_SECONDS = 600


def main() -> int:
    command = [str(Path(sys.executable).with_name("pip-audit")), "--disable-pip"]
    options = [*(f"--requirement={lock}" for lock in LOCKS), "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    dependencies = parse(done.stdout)
    vulnerable = [dependency for dependency in dependencies if dependency.get("vulns")]
    for dependency in vulnerable:
        for found in dependency["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "none"
            print(f"{dependency['name']} {dependency['version']}: {found['id']}; fixed versions: {fixed}")
    skipped = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    if vulnerable:
        return 1
    if dependencies and not skipped:
        print(f"No known vulnerabilities in {len(dependencies)} dependencies.")
        return 0
    reason = (
        f"{len(skipped)} of {len(dependencies)} dependencies are not in it" if dependencies else last_line(done.stderr)
    )
    print(f"Notice: vulnerabilities not checked: the database can't be reached completely ({reason}).", file=sys.stderr)
    return 1 if os.environ.get("AUDIT_REQUIRED") else 0


def parse(output: str) -> list[dict[str, Any]]:
    try:
        dependencies: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return []
    return dependencies


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]


if __name__ == "__main__":
    sys.exit(main())
