"""YAML on the pages is read by what reads such files, JSON and Python are at least well-formed."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
import yaml

from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError
from smm_rules.matching.file import load_mapping
from smm_rules.rules.loader import load_rules
from tests.docs.pages import Block, every_page, read_page

BLOCKS = [
    block
    for path in every_page()
    for block in read_page(path).blocks
    if not block.mark.skipped and "…" not in block.text
]
_CONFIGURATION = {
    "panels": [{"name": "main", "url": "https://panel.example/api/v2", "key": {"env": "MAIN_PANEL_KEY"}}],
    "channels": {name: {"log": {}} for name in ("ops", "boss", "owner", "mail", "shop")},
    "rules": "rules",
    "ledger": "smm-rules.db",
}
_RULE = {"name": "shown", "do": ["refill"], "limit": {"per_order": 1}}
_CONDITIONS = {
    "order": "status == 'Partial'",
    "service": "gone",
    "balance": "amount < 20",
    "refill": "status == 'Rejected'",
    "panel": "not reachable",
}


def in_language(*languages: str) -> list[object]:
    return [pytest.param(block, id=block.place) for block in BLOCKS if block.language in languages]


@pytest.mark.parametrize("block", in_language("yaml", "yml"))
def test_yaml_is_read_by_what_reads_such_files(block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    if content is None:
        return  # a comment that editors read
    assert isinstance(content, dict), f"{block.place}: what is this list part of?"
    path = tmp_path / "block.yaml"
    path.write_text(block.text, encoding="utf-8")
    match sorted(content):
        case ["rules"] | ["rules", "tests"] if isinstance(content["rules"][0], dict):
            assert len(load_rules([path]).rules.rules) == len(content["rules"])
        case ["rules", "tests"] | ["tests"]:
            assert all({"name", "given", "at"} <= set(test) for test in content["tests"])
        case ["orders"]:
            assert all("order" in order for order in content["orders"])
        case ["services"] if isinstance(content["services"], list):
            assert load_mapping(path, None).spec.services
        case ["panels", *_]:
            load_configuration(path, {})
        case keys if set(keys) <= set(Configuration.model_fields):
            path.write_text(yaml.safe_dump({**_CONFIGURATION, **content}), encoding="utf-8")
            load_configuration(path, {})
        case _:
            assert loads_as_part_of_a_rule(path, content), f"{block.place}: no rule has this"


def loads_as_part_of_a_rule(path: Path, content: dict[str, object]) -> bool:
    """Whether a rule about something has these keys."""
    for kind, condition in _CONDITIONS.items():
        telling = [{"notify": {"channel": "ops", "message": "so"}}]
        rule = {**_RULE, "watch": kind, "when": condition, **content}
        if kind != "order":
            rule |= {"do": content.get("do", telling)}
        path.write_text(yaml.safe_dump({"rules": [rule]}), encoding="utf-8")
        try:
            load_rules([path])
        except DocumentError:
            continue
        return True
    return False


@pytest.mark.parametrize("block", in_language("json"))
def test_json_is_json(block: Block) -> None:
    """One value, or one a line."""
    try:
        json.loads(block.text)
    except ValueError:
        assert [json.loads(line) for line in block.text.splitlines()]


@pytest.mark.parametrize("block", in_language("python"))
def test_python_is_python(block: Block) -> None:
    assert ast.parse(block.text).body
