"""Where the blocks of a page run: the directory its reader is in, and what stands for the places it names.

`shop` is a directory after a busy week (`tests.docs.shop`), `nothing` an empty one, `database` the shop
beside a real PostgreSQL server. In all of them `https://panel.example/api/v2` is a panel on this machine, and
places such as `/var/lib/smm-rules` lead into the sandbox.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.docs import shop
from tests.docs.pages import ROOT
from tests.docs.shell import Shell
from tests.servers import free_port

WORLDS = ("shop", "nothing", "database")
STUBS = Path(__file__).parent / "stubs"
INSTALLED = Path(sys.executable).parent
#: What stands on the pages for the head of the record of decisions, for a backup, and for a time to come.
HEAD = "1234:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BACKUP = "smm-rules-20260301T030000Z.db"
SOON = "2026-03-02T08:00"
#: Places of a machine that lead into the sandbox.
_PLACES = ("/var/backups/smm-rules", "/var/lib/smm-rules", "/etc/smm-rules", "/opt/smm-rules")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for things that a page names, beyond what every world has."""

    texts: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    programs: Path | None = None


def enter(world: str, panel: str, directory: Path, standing: Standing) -> Shell:
    """A shell in a fresh `world` below `directory`; the panel of the pages answers at `panel`."""
    assert world in WORLDS, f"there is no world {world!r}, only {', '.join(WORLDS)}"
    here, home = directory / "here", directory / "home"
    home.mkdir(parents=True)
    texts = {**standing.texts, **_texts(panel), **_places(directory)}
    if world == "nothing":
        here.mkdir()
    else:
        machine = directory / "machine" / "var"
        ledger = here / "smm-rules.db" if world == "shop" else machine / "lib/smm-rules/smm-rules.db"
        texts[HEAD] = shop.make(here, panel, ledger, machine / "backups/smm-rules" / BACKUP)
    return Shell(here, _environment(home, standing), _replacing(texts))


def _environment(home: Path, standing: Standing) -> dict[str, str]:
    """What a reader's shell would have; nothing of the tests' own settings."""
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    before = [str(STUBS), str(INSTALLED), *([str(standing.programs)] if standing.programs else [])]
    return {
        **kept,
        "PATH": ":".join([*before, os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "DOCS_ROOT": str(ROOT),
        shop.KEY_VARIABLE: shop.KEY,
        **standing.environment,
    }


def _texts(panel: str) -> dict[str, str]:
    control = panel.removeprefix("http://").removesuffix("/api/v2")
    simulated = f"127.0.0.1:{free_port()}"
    soon = datetime.now(UTC) + timedelta(days=1)
    return {
        "https://panel.example/api/v2": panel,
        "localhost:8787/control": f"{control}/control",
        SOON: f"{soon:%Y-%m-%dT%H:%M}",
        "smm-rules simulate": f"smm-rules simulate --port {simulated.rpartition(':')[2]}",
        "127.0.0.1:8787": simulated,
        "127.0.0.1:8788": f"127.0.0.1:{free_port()}",
        ".venv/bin/": f"{INSTALLED}/",
    }


def _places(directory: Path) -> dict[str, str]:
    places = {place: directory / "machine" / place.lstrip("/") for place in _PLACES}
    for inside in places.values():
        inside.mkdir(parents=True)
    return {place: str(inside) for place, inside in places.items()}


def _replacing(texts: Mapping[str, str]) -> Callable[[str], str]:
    """Makes of a page's text what runs here."""

    def prepare(text: str) -> str:
        for shown, run in texts.items():
            text = text.replace(shown, run)
        return text

    return prepare
