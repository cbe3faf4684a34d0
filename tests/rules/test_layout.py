"""The one layout of rule files: nothing but layout changes, and a second time nothing does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document import read_text
from smm_rules.rules.layout import KEY_ORDER, formatted, same_meaning
from smm_rules.rules.schema import RuleSpec

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path
    for pattern in ("rules/*.yaml", "smm_rules/cookbook/*.yaml", "smm_rules/demo/rules.yaml")
    for path in ROOT.glob(pattern)
)
UNTIDY = """\
# head

tests:
- name: t   
rules:
# about one
- limit: {per_order: 3} # lim
  # the steps
  do:
  - refill   
  - notify:
      channel: ops
      message: |
        # not a comment
          deep  

        end
  name: one


  # when comment
  when:
    - status == "Partial"
    - remains > 0
  watch: order

  # standing alone

# section
# about two
- {name: two, watch: order,
   when: remains > 3}
-   watch: order
    name: three
    when: >-
      remains > 5
      and status == "Partial"
# end
"""  # noqa: W291 - spaces at the ends of lines are what is tested
TIDY = """\
# head

rules:
  # about one
  - name: one
    watch: order

    # standing alone

    # when comment
    when:
      - status == "Partial"
      - remains > 0
    # the steps
    do:
      - refill
      - notify:
          channel: ops
          message: |
            # not a comment
              deep  

            end
    limit: {per_order: 3} # lim

  # section
  # about two
  - {name: two, watch: order,
     when: remains > 3}

  - name: three
    watch: order
    when: >-
      remains > 5
      and status == "Partial"

# end

tests:
- name: t
"""  # noqa: W291


def tidy(text: str) -> str:
    return formatted(read_text(text, Path("rules.yaml")))


def test_an_untidy_file() -> None:
    assert tidy(UNTIDY) == TIDY


def test_a_tidy_file_stays() -> None:
    assert tidy(TIDY) == TIDY


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_rules_are_in_the_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert tidy(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "rules: []\n",
        "{rules: [{name: x}]}\n",
        "- a\n- b\n",
        "rules:\n-\n  name: x\n",
    ],
)
def test_what_is_written_in_other_ways_is_left(text: str) -> None:
    assert tidy(text) == text


def test_windows_line_ends_become_plain_ones() -> None:
    assert tidy("rules:\r\n  - name: x\r\n") == "rules:\n  - name: x\n"


def test_every_key_of_a_rule_has_its_place() -> None:
    keys = {field.alias or name for name, field in RuleSpec.model_fields.items()}
    assert set(KEY_ORDER) == keys


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHIPPED), st.integers(0, 1 << 32))
def test_shuffled_rules_mean_the_same_and_are_laid_out_once(path: Path, seed: int) -> None:
    before = read_text(disordered(path.read_text("utf-8"), random.Random(seed)), path)

    once = formatted(before)

    after = read_text(once, path)
    assert same_meaning(before, after)
    assert formatted(after) == once
    assert comments(once) == comments(before.text)


def comments(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


def disordered(text: str, choices: random.Random) -> str:
    """The file with the keys of each rule in another order, with comments above some, and blank lines."""
    lines = text.split("\n")
    out: list[str] = []
    keys: list[list[str]] = []

    def flush() -> None:
        if keys:
            choices.shuffle(keys)
            keys[0][0] = "  - " + keys[0][0][4:]
            for number, key in enumerate(keys):
                if number and choices.random() < 0.3:
                    out.append(f"    # comment {choices.randint(0, 9)}")
                out.extend(key)
                if choices.random() < 0.2:
                    out.append("")
            keys.clear()

    for line in lines:
        if line.startswith("  - name:") and not any(kept.startswith("tests:") for kept in out):
            flush()
            keys.append(["    " + line[4:]])
        elif keys and line.startswith("    ") and not line.startswith(("     ", "    #")):
            keys.append([line])
        elif keys and (line.startswith("     ") or not line.strip()):
            keys[-1].append(line)
        else:
            flush()
            out.append(line)
    flush()
    return "\n".join(out)
