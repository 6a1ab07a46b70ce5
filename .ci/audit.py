"""Known vulnerabilities of what is installed, where an advisory database can be reached within a minute.

    python .ci/audit.py     audits the packages of the interpreter that runs it

Tells and never fails: an advisory that appears overnight is no fault of the change being checked, and a
machine without a database must pass too. pip-audit itself calls packages that it could not look up "no known
vulnerabilities"; here they are counted as what they are.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

LIMIT_S = 60


def installed() -> list[str]:
    """Return ``name==version`` of every package, without local parts (+cpu), which no database knows."""
    found = {(each.metadata["Name"] or "", each.version.partition("+")[0]) for each in distributions()}
    named = sorted((name, version) for name, version in found if re.fullmatch(r"[\w.-]+", name))
    return [f"{name}=={version}" for name, version in named if name != "neuroclip-live"]


def audit(packages: list[str]) -> dict[str, list[str]] | str:
    """Return the advisories of each package looked up; or why there was no looking up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        wanted = home / "installed.txt"
        wanted.write_text("\n".join(packages) + "\n", encoding="utf-8")
        try:
            # away from the packages that are looked at: its own dependencies must not change them
            subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True, capture_output=True)
            python = home / "venv" / "bin" / "python"
            install = [python, "-m", "pip", "install", "-q", "pip-audit"]
            subprocess.run(install, check=True, capture_output=True, timeout=LIMIT_S)
            run = [
                python,
                "-m",
                "pip_audit",
                "--format",
                "json",
                "--progress-spinner",
                "off",
                "--timeout",
                "5",
            ]
            run += ["--no-deps", "--disable-pip", "-r", wanted]
            told = subprocess.run(run, capture_output=True, text=True, timeout=LIMIT_S).stdout
        except subprocess.TimeoutExpired:
            return f"it took longer than {LIMIT_S} s"
        except (OSError, subprocess.CalledProcessError):
            return "pip-audit cannot be installed here"
    try:
        rows = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return "no advisory database can be reached from here"
    looked_up = [row for row in rows if "skip_reason" not in row]
    if not looked_up:
        return "the package index here keeps no advisories"
    return {
        f"{row['name']} {row['version']}": [
            f"{each['id']} (mended in {', '.join(each['fix_versions']) or 'no version yet'})"
            for each in row["vulns"]
        ]
        for row in looked_up
    }


def main() -> None:
    """Say in one line how it went, and in one more for every vulnerable package what is known."""
    packages = installed()
    found = audit(packages)
    if isinstance(found, str):
        sys.stdout.write(f"not audited: {found}\n")
        return
    vulnerable = {name: advisories for name, advisories in found.items() if advisories}
    sys.stdout.write(
        f"audited {len(found)} of {len(packages)} packages: {len(vulnerable)} with known vulnerabilities\n"
    )
    for name, advisories in vulnerable.items():
        sys.stdout.write(f"  {name}: {'; '.join(advisories)}\n")


if __name__ == "__main__":
    main()
