"""Secrets by reference: the configuration says where a key is kept, never what it is."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from smm_rules.config.paths import FilePath
from smm_rules.document.types import FilledText, Settings, exactly_one, refuse, written

#: Longer than any key or URL; a larger file is the wrong file.
LARGEST_SECRET: Final = 64 * 1024
_HOW = "Write {env: NAME}, {credential: NAME} or {file: PATH}"


class SecretUnavailable(Exception):
    """A secret can't be read. The message says why and what to do, and never holds the secret."""


class SecretReference(Settings):
    """Where a secret is kept: an environment variable, a systemd credential or a file.

    A relative `file` starts from the directory of the configuration.
    """

    env: FilledText | None = None
    credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    file: FilePath | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SecretReference:
        exactly_one(("env", "credential", "file"), self.model_fields_set, "{env: NAME}")
        if (self.env or self.credential or self.file) is None:
            refuse("The place of the secret has no name", _HOW)
        return self

    def __str__(self) -> str:
        kind = next(iter(self.model_fields_set))
        return f"{{{kind}: {getattr(self, kind)}}}"

    def read(self, environment: Mapping[str, str]) -> str:
        """The secret's text without its final line break; `SecretUnavailable` when it can't be had."""
        if self.env is not None:
            return _from_environment(self.env, environment)
        if self.credential is not None:
            return _from_credential(self.credential, environment)
        if self.file is not None:
            return _from_file(self.file)
        raise SecretUnavailable(f"The secret has no place. {_HOW}")


@dataclass(frozen=True, slots=True)
class InlineSecret:
    """A secret written out, where that is allowed. It is never shown."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "(written in the configuration)"

    def read(self, _: Mapping[str, str]) -> str:
        """The secret's text; `SecretUnavailable` when there is none in it."""
        return _checked(self.text, "The text in the configuration")


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SecretUnavailable(f"The environment variable {name} is not set. Set it for the daemon")
    return _checked(environment[name], f"The environment variable {name}")


def _from_credential(name: str, environment: Mapping[str, str]) -> str:
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise SecretUnavailable(
            f"The credential {name} can't be read: CREDENTIALS_DIRECTORY is not set. "
            f"Start the daemon by systemd with LoadCredential={name}:PATH in its unit"
        )
    path = Path(directory) / name
    if not path.is_file():
        raise SecretUnavailable(
            f"There is no credential {name}. Add LoadCredential={name}:PATH to the unit and restart it"
        )
    return _checked(_content(path), f"The credential {name}")


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SecretUnavailable(f"The secret file {path} can't be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise SecretUnavailable(f"The secret {path} is not a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretUnavailable(f"The secret file {path} is open to other users. Run: chmod 600 {path}")
    return _checked(_content(path), f"The secret file {path}")


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SECRET + 1)
        if len(content) > LARGEST_SECRET:
            raise SecretUnavailable(f"The secret file {path} is larger than {LARGEST_SECRET} bytes")
        return content.decode("utf-8")
    except OSError as error:
        raise SecretUnavailable(f"The secret file {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretUnavailable(f"The secret file {path} is not UTF-8 text") from None


def _checked(text: str, what: str) -> str:
    """The text without its trailing line break, fit to be sent in a request."""
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise SecretUnavailable(f"{what} is empty. Put the secret into it")
    if len(secret) > LARGEST_SECRET:
        raise SecretUnavailable(f"{what} is longer than {LARGEST_SECRET} characters")
    if any(not character.isprintable() for character in secret):
        raise SecretUnavailable(
            f"{what} holds line breaks or control characters. Leave only the secret in it"
        )
    return secret


def _no_inline(value: Any) -> Any:
    if not isinstance(value, dict | SecretReference):
        refuse("must not be written out here: say where it is kept", _HOW)
    return value


def _inline_or_reference(value: Any) -> Any:
    if isinstance(value, str):
        return InlineSecret(value)
    if isinstance(value, dict):
        return SecretReference.model_validate(value)
    if not isinstance(value, SecretReference | InlineSecret):
        refuse(f"must be an address or say where one is kept, not {written(value)}", _HOW)
    return value


#: A secret by reference only.
Secret = Annotated[SecretReference, BeforeValidator(_no_inline)]
#: A secret by reference, or an address written out that may hold one.
SecretOrText = Annotated[SecretReference | InlineSecret, BeforeValidator(_inline_or_reference)]
