"""Databases of orders: where they are, and that their query only reads, in order, and reads on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.config.select_statement import bindable
from smm_rules.config.sql_source import BEGINNING, SqlSourceSettings
from smm_rules.facts import format_duration
from tests.config.test_web import load, refusal

QUERY = "SELECT id, updated_at FROM orders WHERE updated_at > :since ORDER BY updated_at"
URL = "sqlite:////srv/shop.db"


def written(more: str = "", url: str = URL, query: str = QUERY, watermark: str = "updated_at") -> str:
    quoted = query.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    fields = f'name: shop, url: "{url}", query: "{quoted}", watermark: {watermark}'
    return f"intake: {{sql: [{{{fields}{more}}}]}}"


def source(directory: Path, text: str) -> SqlSourceSettings:
    [settings] = load(directory, text).intake.sql
    return settings


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    settings = source(tmp_path, written())
    assert (settings.every, settings.start, settings.overlap) == (
        timedelta(minutes=5), BEGINNING, timedelta(minutes=10),
    )  # fmt: skip
    assert (settings.kind, settings.reaching_back) == ("time", timedelta(minutes=10))


def test_a_watermark_of_numbers_reaches_back_by_numbers(tmp_path: Path) -> None:
    settings = source(tmp_path, written(", start: 0"))
    assert (settings.kind, settings.start, settings.reaching_back) == ("number", 0, 1000)
    assert source(tmp_path, written(", start: 5, overlap: 0")).reaching_back == 0


def test_a_start_of_time(tmp_path: Path) -> None:
    settings = source(tmp_path, written(', start: "2025-03-01T00:00:00Z", overlap: 1h'))
    assert (settings.start, settings.overlap) == (datetime(2025, 3, 1, tzinfo=UTC), timedelta(hours=1))


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("sqlite:////srv/shop.db", "sqlite:////srv/shop.db"),
        ("postgresql://reader@/shop?host=/run/postgresql", "postgresql+psycopg://reader@/shop?host=/run/postgresql"),
        ("postgresql+psycopg://r@127.0.0.1:5/shop", "postgresql+psycopg://r@127.0.0.1:5/shop"),
        ("mysql://r@localhost/shop", "mysql+pymysql://r@localhost/shop"),
        ("mariadb+pymysql://r@[::1]/shop", "mariadb+pymysql://r@[::1]/shop"),
        ("mysql://r@db.example/shop?ssl_ca=/ca.pem", "mysql+pymysql://r@db.example/shop?ssl_ca=/ca.pem"),
        ("postgresql://r@db.example/shop?sslmode=require", "postgresql+psycopg://r@db.example/shop?sslmode=require"),
    ],
)  # fmt: skip
def test_addresses(tmp_path: Path, url: str, meant: str) -> None:
    assert source(tmp_path, written(url=url)).url == meant


def test_a_relative_file_starts_where_the_configuration_is(tmp_path: Path) -> None:
    assert source(tmp_path, written(url="sqlite:///shop.db")).url == f"sqlite:///{tmp_path}/shop.db"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://r:secret@localhost/shop", "must not hold a password"),
        ("postgresql://r@localhost/shop?password=x", "must not hold a password"),
        ("postgresql://r@db.example/shop", "must be encrypted to another machine. Add ?sslmode=verify-full"),
        ("postgresql://r@/shop?host=db.example", "must be encrypted to another machine"),
        ("mysql://r@db.example/shop", "must be encrypted to another machine. Add ?ssl_ca="),
        ("mysql://r@localhost", "must name a database"),
        ("oracle://r@localhost/shop", "must be the address of a database"),
        ("postgresql+asyncpg://r@localhost/shop", "must be the address of a database"),
        ("/srv/shop.db", "must be the address of a database"),
        ("sqlite://", "must be the path of a file"),
        ("sqlite:////srv/shop.db?mode=rw", "must not hold options"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, url: str, told: str) -> None:
    shown = refusal(tmp_path, written(url=url))
    assert told in shown
    assert "secret" not in shown


def test_a_password_is_written_nowhere(tmp_path: Path) -> None:
    assert "must not be written out here" in refusal(tmp_path, written(", password: canary"))
    assert "{env: DB}" in [str(one) for one in load(tmp_path, written(", password: {env: DB}")).references]


def test_a_name_is_given_once(tmp_path: Path) -> None:
    one = written().removeprefix("intake: {sql: [").removesuffix("]}")
    assert 'two sources called "shop"' in refusal(tmp_path, f"intake: {{sql: [{one}, {one}]}}")


@pytest.mark.parametrize(
    "query",
    [
        f"{QUERY};",
        f"-- what the shop sold\n{QUERY}\n;",
        "WITH n AS (SELECT * FROM orders LIMIT 5) SELECT * FROM n WHERE u > :since ORDER BY updated_at ASC",
        "select * from o where updated_at > :since order by o.updated_at, id desc",
        "SELECT * FROM o WHERE x = 'a;b -- c :d' AND updated_at > :since ORDER BY `updated_at`",
        'SELECT "delete", o.update, updated_at FROM o WHERE updated_at >= :since ORDER BY "updated_at"',
        "SELECT a::text, replace(b, 'x', 'y') FROM o WHERE updated_at > :since ORDER BY UPDATED_AT",
        "SELECT (SELECT x FROM y ORDER BY z LIMIT 1) FROM o WHERE u > :since ORDER BY updated_at",
        "SELECT a FROM o WHERE u > :since UNION SELECT a FROM p WHERE u > :since ORDER BY updated_at",
    ],
)
def test_queries_that_read_on(tmp_path: Path, query: str) -> None:
    assert source(tmp_path, written(query=query)).query == query


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM orders", "must be one SELECT"),
        (" ; ", "must be one SELECT"),
        (f"{QUERY}; DROP TABLE orders", "must be one statement"),
        ("WITH gone AS (DELETE FROM o RETURNING *) SELECT * FROM gone", "must only read, and DELETE doesn't"),
        ("SELECT * INTO OUTFILE '/tmp/x' FROM o", "must only read, and INTO doesn't"),
        (f"{QUERY} FOR UPDATE", "must only read, and UPDATE doesn't"),
        (f"{QUERY} FOR SHARE", "must only read, and SHARE doesn't"),
        (f"{QUERY} LOCK IN SHARE MODE", "must only read, and SHARE doesn't"),
        (f"/*! DELETE FROM o */ {QUERY}", "a comment that MySQL carries out"),
        (QUERY.replace(":since", ":last"), "has the placeholder :last"),
        (QUERY.replace("> :since", "> 0"), "must read on from where it was"),
        (f"{QUERY} LIMIT 100", "must not be cut short by LIMIT"),
        (QUERY.replace(" ORDER BY updated_at", ""), "must end in ORDER BY updated_at"),
        (f"{QUERY} DESC", "must be in the order of updated_at first, upwards"),
        (QUERY.replace("BY updated_at", "BY id, updated_at"), "must be in the order of updated_at first"),
        (QUERY.replace("BY updated_at", "BY updated_at + 1"), "must be in the order of updated_at first"),
        ("SELECT 'a FROM o", "has a ' that is never closed"),
        ("SELECT $$;$$ FROM o", "must not hold a $"),
    ],
)
def test_queries_that_are_refused(tmp_path: Path, query: str, told: str) -> None:
    assert told in refusal(tmp_path, written(query=query))


def test_start_and_overlap_are_of_one_kind(tmp_path: Path) -> None:
    assert "must both be of time or both be numbers" in refusal(tmp_path, written(", start: 0, overlap: 1h"))
    assert "must be a time like" in refusal(tmp_path, written(", start: yesterday"))
    assert "must be at least 1s" in refusal(tmp_path, written(", overlap: 0s"))


def test_a_colon_within_quotes_is_no_placeholder_to_the_driver() -> None:
    assert bindable("SELECT ':a', \"b:c\" -- :d\nWHERE x > :since") == (
        "SELECT '\\:a', \"b\\:c\" -- \\:d\nWHERE x > :since"
    )


def test_every_setting_is_told_of_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "databases.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    assert set(rows) == set(SqlSourceSettings.model_fields)
    defaults = {name: field.default for name, field in SqlSourceSettings.model_fields.items()}
    for name in ("every", "overlap", "timeout"):
        assert format_duration(defaults[name]) in rows[name]
    needed = {name for name, field in SqlSourceSettings.model_fields.items() if field.is_required()}
    assert {name for name, default in rows.items() if default == "needed"} == needed
