"""The mapping beside the rules: loaded with them, and part of what workers go by."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.cluster.rules import digest_of
from smm_rules.config.load import load_configuration
from smm_rules.document import DocumentError
from smm_rules.engine.guards_set import guards_of
from smm_rules.matching.equal import Member
from smm_rules.rules.loader import load_rules
from smm_rules.rules.scope import scope_of

CONFIGURATION = """\
panels:
  - {name: north, url: "https://north.example/api/v2", key: {env: NORTH_KEY}}
  - {name: south, url: "https://south.example/api/v2", key: {env: SOUTH_KEY}}
rules: rules.yaml
ledger: ledger.db
"""
RULE = """\
rules:
  - name: elsewhere
    watch: order
    when: status == "Canceled"
    do: [reorder: {panel: next}]
    limit: {per_chain: 2}
"""
MAPPING = "services:\n  - {name: a, state: confirmed, services: {north: 7, south: 70}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "services.yaml").write_text(MAPPING)
    path = tmp_path / "smm-rules.yaml"
    path.write_text(CONFIGURATION + "services: services.yaml\n")
    return path


def test_workers_with_other_mappings_go_by_other_rules(config: Path) -> None:
    configuration = load_configuration(config, {})
    first = load_rules(configuration.rules, scope_of(configuration))
    (config.parent / "services.yaml").write_text(MAPPING.replace("70", "71"))
    other = load_rules(configuration.rules, scope_of(configuration))
    (config.parent / "services.yaml").write_text(f"# a comment\n{MAPPING}")
    same = load_rules(configuration.rules, scope_of(configuration))

    assert first.equal.group_of("north", "7") is not None
    assert digest_of(first) == digest_of(same) != digest_of(other)


def test_rules_without_a_mapping_are_known_by_what_they_were_known_by(config: Path) -> None:
    """A worker of before must not find other rules in force only because there could be a mapping now."""
    rules = config.parent / "rules.yaml"
    rules.write_text(RULE.replace("next", "south, service: 70"))
    config.write_text(CONFIGURATION)
    configuration = load_configuration(config, {})

    with_scope = load_rules(configuration.rules, scope_of(configuration))

    assert with_scope.equal.digest == ""
    assert digest_of(with_scope) == digest_of(load_rules(configuration.rules))


def test_a_broken_mapping_is_a_problem_of_the_rules_and_of_nothing_else(config: Path) -> None:
    """Commands that only look at the ledger open it all the same; who needs a panel chosen is told."""
    (config.parent / "services.yaml").write_text(MAPPING.replace("south", "nowhere"))
    configuration = load_configuration(config, {})

    with pytest.raises(DocumentError, match='There is no panel "nowhere"'):
        load_rules(configuration.rules, scope_of(configuration))
    market = guards_of(configuration).market
    assert market.equal.group_of("north", "7") is None
    assert 'There is no panel "nowhere"' in market.trouble


def test_the_guards_in_force_know_the_mapping(config: Path) -> None:
    group = guards_of(load_configuration(config, {})).market.equal.group_of("south", "70")

    assert group is not None
    assert group.members == (Member("north", "7"), Member("south", "70"))
