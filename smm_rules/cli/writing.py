"""Files that a command writes for its user: nobody else may change them, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path


def write_for_owner(path: Path, text: str, *, over: bool = False) -> None:
    """Write a file and the directories it is in, 0644 and 0755 where they are new.

    `FileExistsError` when the file is there and `over` is false; else its mode stays. `OSError` when it
    can't be written.
    """
    for directory in reversed(path.parent.parents):
        directory.mkdir(mode=0o755, exist_ok=True)
    path.parent.mkdir(mode=0o755, exist_ok=True)
    with open(path, "w" if over else "x", encoding="utf-8", opener=_owners) as file:
        file.write(text)


def write_secret(path: Path, text: str, *, over: bool = False) -> None:
    """Write a file that only its owner can read, 0600 from the first byte; a new directory for it is 0700.

    `FileExistsError` when the file is there and `over` is false. `OSError` when it can't be written.
    """
    for directory in reversed(path.parent.parents):
        directory.mkdir(mode=0o755, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if over:
        path.unlink(missing_ok=True)  # a mode that was wider would stay
    with open(path, "x", encoding="utf-8", opener=_owners_alone) as file:
        file.write(text)


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _owners(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)
