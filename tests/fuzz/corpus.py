"""The kept corpus: `corpus/<target>/` holds seeds and every input that once broke something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

DIRECTORY = Path(__file__).parent / "corpus"
_ROOT = Path(__file__).parents[2]
#: Files of the project that are as good as seeds.
_SHARED: dict[str, tuple[str, ...]] = {
    "document": ("rules/*.yaml", "tests/corpus/broken/*.yaml"),
    "rules": ("rules/*.yaml", "smm_rules/cookbook/*.yaml", "tests/corpus/broken/*.yaml"),
}


def kept(target: str) -> Iterator[tuple[str, bytes]]:
    """Every kept input of a target by its file's name, small ones of the project's own files among them."""
    paths = sorted((DIRECTORY / target).glob("*"))
    for pattern in _SHARED.get(target, ()):
        paths += sorted(_ROOT.glob(pattern))
    for path in paths:
        yield f"{path.parent.name}/{path.name}", path.read_bytes()
