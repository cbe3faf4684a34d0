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


def _owners(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)
