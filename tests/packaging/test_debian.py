"""The Debian package's scripts. `packaging/debian/verify` tries the package; it takes root and minutes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

DEBIAN = Path(__file__).parents[2] / "packaging" / "debian"
OF_DPKG = ("preinst", "postinst", "prerm", "postrm")
SCRIPTS = [
    DEBIAN / "build",
    DEBIAN / "verify",
    DEBIAN / "boot",
    *(DEBIAN / "package" / name for name in OF_DPKG),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_shell_reads_it_to_its_end(script: Path) -> None:
    assert os.access(script, os.X_OK)
    read = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("name", OF_DPKG)
def test_what_fails_in_it_fails_the_installation(name: str) -> None:
    lines = (DEBIAN / "package" / name).read_text("utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "set -e"


def test_nothing_that_a_person_wrote_or_paid_for_is_deleted() -> None:
    """Only links that enabled the units, an empty link, and the note of an upgrade are."""
    said = "\n".join((DEBIAN / "package" / name).read_text("utf-8") for name in OF_DPKG)
    deleting = [
        line.strip() for line in said.splitlines() if "rm -" in line and not line.lstrip().startswith("#")
    ]
    assert deleting == [
        'rm -f "$noted"',
        "[ ! -L /var/lib/smm-rules ] || rm -f /var/lib/smm-rules",
        "rm -f /etc/systemd/system/*.wants/smm-rules.service "
        "/etc/systemd/system/*.wants/smm-rules-worker@*.service",
    ]
