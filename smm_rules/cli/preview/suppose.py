"""Facts supposed on the command line, or in a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from smm_rules.cli.exits import Exit, Stop
from smm_rules.document import read_document
from smm_rules.explanation.given import GivenRefused, Supposed, read_given
from smm_rules.facts import EntityKind


def supposed(text: str, kind: EntityKind, panel: str, now: datetime) -> Supposed:
    """The world that `text` supposes: `status=Partial remains=157 service.refill=true`, or a YAML file.

    In a file the facts stand as in a rule's tests: `order: {status: Partial}`, or flat. `Stop` says what
    can't be read.
    """
    texts = _from_file(Path(text), kind) if "=" not in text else _from_words(text)
    try:
        return Supposed(kind, panel, read_given(texts, kind, now), now)
    except GivenRefused as error:
        raise Stop(str(error), Exit.USAGE) from None


def _from_words(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Stop(f"--given can't be read: {error}", Exit.USAGE) from None
    texts: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Stop(f"--given: {word!r} is not NAME=VALUE, such as status=Partial", Exit.USAGE)
        texts[name] = value
    return texts


def _from_file(path: Path, kind: EntityKind) -> dict[str, str]:
    if not path.is_file():
        raise Stop(f"--given: {path} is neither NAME=VALUE nor a file", Exit.USAGE)
    content = read_document(path).value
    if not isinstance(content, Mapping):
        raise Stop(f"{path}: expected names with values, such as status: Partial", Exit.USAGE)
    texts: dict[str, str] = {}
    for name, value in content.items():
        prefix = "" if name == kind.value else f"{name}."
        if isinstance(value, Mapping):
            texts |= {f"{prefix}{own}": _text(each) for own, each in value.items()}
        else:
            texts[str(name)] = _text(value)
    return texts


def _text(value: object) -> str:
    return str(value).casefold() if isinstance(value, bool) else str(value)
