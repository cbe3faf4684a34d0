"""The status page's settings: safe by default, and refused where they would open it to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.config.web import ListenAddress, parse_listen
from smm_rules.document import DocumentError

HASH = "$scrypt$ln=15,r=8,p=1$" + "A" * 22 + "$" + "b" * 43


def load(directory: Path, web: str) -> Configuration:
    path = directory / "smm-rules.yaml"
    path.write_text(
        "panels: [{name: main, url: https://panel.example/api/v2, key: {env: KEY}}]\n"
        f"rules: rules\nledger: smm-rules.db\n{web}\n",
        encoding="utf-8",
    )
    return load_configuration(path, {})


def refusal(directory: Path, web: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load(directory, web)
    (problem,) = caught.value.problems
    return f"{problem.message}. {problem.suggestion}"


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert load(tmp_path, "").web is None
    assert load(tmp_path, "").page_url == ""


def test_an_address_links_need_is_kept_without_its_last_slash(tmp_path: Path) -> None:
    assert load(tmp_path, "web: {base_url: https://ops.example/smm/}").page_url == "https://ops.example/smm"


@pytest.mark.parametrize(
    ("written", "address", "shown"),
    [
        ("127.0.0.1:8787", ListenAddress("127.0.0.1", 8787), "127.0.0.1:8787"),
        ("localhost:0", ListenAddress("localhost", 0), "localhost:0"),
        ("[::1]:8787", ListenAddress("::1", 8787), "[::1]:8787"),
        ("unix:/run/web.sock", ListenAddress(path=Path("/run/web.sock")), "unix:/run/web.sock"),
    ],
)
def test_where_it_listens(written: str, address: ListenAddress, shown: str) -> None:
    assert parse_listen(written) == address
    assert str(address) == shown
    assert address.is_private


def test_a_relative_socket_starts_where_the_configuration_is(tmp_path: Path) -> None:
    web = load(tmp_path, "web: {listen: 'unix:web.sock'}").web
    assert web is not None
    assert web.listen == ListenAddress(path=tmp_path / "web.sock")


@pytest.mark.parametrize(
    "written", ["8787", "::1:8787", "host:", "host:99999", "unix:", ":80", "a b:80", "h:١"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, written: str) -> None:
    assert "must be an address to listen on" in refusal(tmp_path, f'web: {{listen: "{written}"}}')


def test_others_reach_it_only_with_a_login_and_https_in_front(tmp_path: Path) -> None:
    login = f"login: {{user: ann, password_hash: '{HASH}'}}"
    assert "needs a `login`" in refusal(tmp_path, "web: {listen: '0.0.0.0:8787'}")
    assert "`base_url`" in refusal(tmp_path, f"web: {{listen: '0.0.0.0:8787', {login}}}")
    web = load(tmp_path, f"web: {{listen: '0.0.0.0:8787', base_url: https://ops.example, {login}}}").web
    assert web is not None
    assert web.listen is not None
    assert not web.listen.is_private


def test_a_password_is_never_taken_for_its_hash(tmp_path: Path) -> None:
    told = refusal(tmp_path, "web: {login: {user: ann, password_hash: hunter2}}")
    assert "must be a password's hash, never the password itself" in told
    assert "smm-rules web password" in told
    assert "hunter2" not in told


def test_a_hash_is_not_shown(tmp_path: Path) -> None:
    web = load(tmp_path, f"web: {{login: {{user: ann, password_hash: '{HASH}'}}}}").web
    assert web is not None
    assert web.login is not None
    assert web.login.needed_for == "everything"
    assert HASH not in repr(web)
    assert web.login.password_hash.read({}) == HASH


def test_secrets_kept_elsewhere_are_known(tmp_path: Path) -> None:
    kept = "web: {metrics_token: {env: TOKEN}, login: {user: ann, password_hash: {credential: web}}}"
    references = load(tmp_path, kept).references
    assert [str(secret) for secret in references] == ["{env: KEY}", "{credential: web}", "{env: TOKEN}"]
