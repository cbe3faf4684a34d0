"""Paths in the configuration: relative ones start where the configuration file is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from smm_rules.document.types import refuse, written

#: The key under which validation is told the configuration file's directory.
DIRECTORY: Final = "directory"


def file_path(value: Any, info: ValidationInfo) -> Path:
    """The path that a value of the configuration gives."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip():
        refuse(f"must be the path of a file or directory, not {written(value)}")
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        refuse('must be a path; the home directory "~" stands for is not known')
    directory = (info.context or {}).get(DIRECTORY)
    return path if directory is None else Path(directory) / path


#: A file or directory; absolute once loaded.
FilePath = Annotated[Path, BeforeValidator(file_path), WithJsonSchema({"type": "string", "minLength": 1})]
