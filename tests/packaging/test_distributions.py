"""The wheel and the sdist: built, looked into, and the wheel installed and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="install the test extra: it builds the distributions")

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Built:
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    (sdist,) = directory.glob("*.tar.gz")
    return Built(wheel, sdist)


def kept_in_the_tree(directory: str) -> set[str]:
    """What git knows below `directory`, and what is new there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", directory]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return {name for name in listed if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def in_wheel(built: Built) -> set[str]:
    with zipfile.ZipFile(built.wheel) as wheel:
        return set(wheel.namelist())


def test_the_wheel_holds_every_file_of_the_package(in_wheel: set[str]) -> None:
    assert kept_in_the_tree("smm_rules") - in_wheel == set()
    kinds = (
        "smm_rules/ledger/migrations/",
        "smm_rules/schemas/",
        "smm_rules/web/templates/",
        "smm_rules/cookbook/",
    )
    assert [kind for kind in kinds if not any(name.startswith(kind) for name in in_wheel)] == []


def test_the_wheel_holds_rules_units_and_the_schemas_they_name(in_wheel: set[str]) -> None:
    wanted = {
        f"smm_rules/examples/{name}" for name in kept_in_the_tree("rules") | kept_in_the_tree("systemd")
    }
    wanted |= {
        f"smm_rules/examples/{name}"
        for name in kept_in_the_tree("smm_rules/schemas")
        if name.endswith("json")
    }
    assert wanted - in_wheel == set()


def test_the_wheel_holds_nothing_else(in_wheel: set[str]) -> None:
    strangers = {name for name in in_wheel if not name.startswith(("smm_rules/", "smm_rules-"))}
    assert strangers == set()
    assert [name for name in in_wheel if "__pycache__" in name or name.endswith((".pyc", ".db"))] == []


def test_the_sdist_holds_the_whole_tree(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    assert kept_in_the_tree(".") - {".gitignore"} - held == set()
    assert [name for name in held if name.startswith((".venv", "dist/", ".git/", ".hypothesis"))] == []


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel in an environment of its own; what it depends on is borrowed from the tests' environment."""

    program: Path
    directory: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {"PATH": os.defpath, "HOME": str(self.directory), "MAIN_PANEL_KEY": "a-key"}
        command = [self.program, *arguments]
        return subprocess.run(
            command, cwd=self.directory, env=kept, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    directory = tmp_path_factory.mktemp("installed")
    environment = directory / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--no-compile", str(built.wheel)], check=True, capture_output=True
    )
    (site_packages,) = environment.glob("lib/python*/site-packages")
    # A line in a .pth file adds a directory without the .pth files in it: no editable smm-rules comes along.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert (site_packages / "smm_rules").is_dir()
    home = directory / "home"
    home.mkdir()
    return Installed(environment / "bin" / "smm-rules", home)


def test_the_installed_program_is_the_wheel_s(installed: Installed) -> None:
    python = installed.program.with_name("python")
    asked = subprocess.run(
        [python, "-c", "import smm_rules; print(smm_rules.__file__)"],
        cwd=installed.directory,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(asked.stdout.strip()).is_relative_to(installed.program.parents[1])


def test_what_it_sets_up_passes_its_own_check(installed: Installed) -> None:
    assert installed("init", "--panel-url", "https://panel.example/api/v2", "shop").returncode == 0
    checked = installed("check", "--config", "shop/smm-rules.yaml")
    assert (checked.returncode, checked.stdout.strip()) == (0, "ok: 3 rules in 1 file"), checked.stderr


def test_it_shows_the_main_job(installed: Installed) -> None:
    shown = installed("demo", "--speed", "120", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["good"] is True
