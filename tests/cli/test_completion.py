"""What a shell is offered on Tab, asked the way shells ask, and by real shells where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BROKEN, configure, said

Capture = pytest.CaptureFixture[str]
BIN = Path(sys.executable).parent


def offered(words: str, shell: str = "bash") -> list[str]:
    """What the shell gets for the line, of which the last word is being typed."""
    before, _, typed = words.rpartition(" ")
    environment = {
        **os.environ,
        "_SMM_RULES_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": typed if shell == "fish" else str(words.count(" ")),
    }
    done = subprocess.run(
        [str(BIN / "smm-rules")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == "", before
    return [line.partition(",")[2] or line for line in done.stdout.splitlines() if line]


def test_commands_and_options(here: Path) -> None:
    assert offered("smm-rules pau") == ["pause", "pauses"]
    assert offered("smm-rules intents l") == ["list"]
    assert "--rule" in offered("smm-rules intents list --r")
    assert offered("smm-rules completion f") == ["fish"]


def test_names_of_rules_panels_and_channels(here: Path) -> None:
    configure(here)
    (here / "rules" / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    (here / "rules" / "no.yaml").write_text("rules: [", encoding="utf-8")
    assert offered("smm-rules pause rule ") == ["low", "refill-partial"]
    assert offered("smm-rules pause panel ") == ["north"]
    assert offered("smm-rules pause all ") == []
    assert offered("smm-rules orders list --panel n") == ["north"]
    assert offered("smm-rules logs --rule re") == ["refill-partial"]
    assert offered("smm-rules notify ") == ["ops"]
    assert "refill-partial" in offered("smm-rules rules new refill")


def test_the_configuration_is_the_one_that_is_named(here: Path) -> None:
    (here / "other").mkdir()
    configure(here / "other")
    assert offered("smm-rules pause panel ") == []
    assert offered("smm-rules orders list --config other/smm-rules.yaml --panel ") == ["north"]


def test_a_broken_configuration_offers_nothing_and_says_nothing(here: Path) -> None:
    (here / "smm-rules.yaml").write_text("panels: [", encoding="utf-8")
    assert offered("smm-rules notify ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_can_be_read_by_its_shell(here: Path, capsys: Capture, shell: str) -> None:
    script = said(capsys, "completion", shell)
    assert (script.code, script.err) == (0, "")
    assert "_SMM_RULES_COMPLETE" in script.out
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} isn't installed")
    (here / "script").write_text(script.out, encoding="utf-8")
    subprocess.run([shell, "-n", str(here / "script")], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash isn't installed")
def test_bash_itself_completes_a_rule(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "script").write_text(said(capsys, "completion", "bash").out, encoding="utf-8")
    typed = (
        "source ./script; COMP_WORDS=(smm-rules pause rule lo); COMP_CWORD=3; "
        'COMP_LINE="smm-rules pause rule lo"; '
        'COMP_POINT=${#COMP_LINE}; _smm_rules_completion smm-rules; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", typed], env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("low\n", "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish isn't installed")
def test_fish_itself_completes_a_panel(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "script").write_text(said(capsys, "completion", "fish").out, encoding="utf-8")
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(here)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source ./script; complete -C 'smm-rules pause panel n'"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["north"]


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "data/bash-completion/completions/smm-rules"),
        ("zsh", "data/zsh/site-functions/_smm-rules"),
        ("fish", "config/fish/completions/smm-rules.fish"),
    ],
)
def test_it_is_installed_where_the_shell_looks(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, shell: str, place: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "config"))
    told = said(capsys, "completion", shell, "--install")
    assert (told.code, told.out.splitlines()[0]) == (0, f"wrote {here / place}")
    assert (here / place).read_text(encoding="utf-8") == said(capsys, "completion", shell).out
