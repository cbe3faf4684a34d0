"""Reading secrets: each place they may be kept, and each way that can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.config import InlineSecret, SecretReference, SecretUnavailable


def in_file(path: Path, content: bytes, mode: int = 0o600) -> SecretReference:
    path.write_bytes(content)
    path.chmod(mode)
    return SecretReference(file=path)


def test_a_variable_holds_a_secret() -> None:
    assert SecretReference(env="KEY").read({"KEY": "abc\n"}) == "abc"


def test_a_credential_holds_a_secret(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("abc\r\n")

    assert SecretReference(credential="main").read({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "abc"


@pytest.mark.parametrize("content", [b"a b", b"a b\n", b"a b\r\n"])
def test_a_file_holds_a_secret(tmp_path: Path, content: bytes) -> None:
    assert in_file(tmp_path / "key", content).read({}) == "a b"


def test_an_inline_secret_is_itself_and_never_shown() -> None:
    secret = InlineSecret("CANARY")

    assert secret.read({}) == "CANARY"
    assert "CANARY" not in f"{secret} {secret!r}"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "The environment variable KEY is not set"),
        ({"KEY": ""}, "The environment variable KEY is empty"),
        ({"KEY": " \n"}, "The environment variable KEY is empty"),
        ({"KEY": "CANARY\nb"}, "holds line breaks or control characters"),
        ({"KEY": "CANARY" * 20_000}, "is longer than 65536 characters"),
    ],
)
def test_an_unusable_variable_is_told(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        SecretReference(env="KEY").read(environment)

    assert message in str(caught.value)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"", 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (b"\xff", 0o600, "is not UTF-8 text"),
        (b"x" * 70_000, 0o600, "is larger than 65536 bytes"),
        (b"CANARY", 0o640, "is open to other users. Run: chmod 600"),
        (b"CANARY", 0o604, "is open to other users"),
    ],
)
def test_an_unusable_file_is_told(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    reference = in_file(tmp_path / "key", content, mode)

    with pytest.raises(SecretUnavailable) as caught:
        reference.read({})

    assert message in str(caught.value)
    assert str(tmp_path / "key") in str(caught.value)
    assert "CANARY" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match=r"can't be read: No such file"):
        SecretReference(file=tmp_path / "gone").read({})


def test_a_directory_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(SecretUnavailable, match=r"is not a file"):
        SecretReference(file=tmp_path).read({})


def test_a_missing_credential_says_how(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match=r"LoadCredential=main:PATH"):
        SecretReference(credential="main").read({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    with pytest.raises(SecretUnavailable, match=r"CREDENTIALS_DIRECTORY is not set"):
        SecretReference(credential="main").read({})
