"""The lock files hold what pyproject.toml asks for, each package with its hashes; `./dev lock` makes them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {"all": "requirements.lock", "test": "requirements-test.lock"}


def locked(extra: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Each locked package with the hashes of its files."""
    text = (ROOT / LOCKS[extra]).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        requirement, *hashes = line.split("--hash=")
        parsed = Requirement(requirement.strip())
        found[canonicalize_name(parsed.name)] = parsed, [one.strip() for one in hashes]
    return found


def asked(extra: str) -> list[Requirement]:
    """What the project and its extra ask for, extras of its own followed."""
    requirements = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    waiting = [extra]
    while waiting:
        for line in PROJECT["project"]["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(line)
            if requirement.name == "smm-rules":
                waiting.extend(requirement.extras)
            else:
                requirements.append(requirement)
    return requirements


@pytest.mark.parametrize("extra", LOCKS)
def test_every_dependency_is_locked_to_a_version_it_allows(extra: str) -> None:
    found = locked(extra)
    for requirement in asked(extra):
        package, _ = found[canonicalize_name(requirement.name)]
        (pin,) = package.specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), f"{package} isn't {requirement}: run ./dev lock"


@pytest.mark.parametrize("extra", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(extra: str) -> None:
    for package, hashes in locked(extra).values():
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)
    assert "://" not in (ROOT / LOCKS[extra]).read_text(encoding="utf-8")


def test_what_is_shipped_is_what_is_tested() -> None:
    tested = locked("test")
    assert {name: tested[name][0].specifier for name in locked("all")} == {
        name: package.specifier for name, (package, _) in locked("all").items()
    }


def test_the_wheel_holds_no_lock_and_no_bill() -> None:
    """Only the package, the rules and the unit are put into it."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["smm_rules"]
    assert {source.split("/")[0] for source in wheel["force-include"]} <= {"rules", "systemd", "smm_rules"}
