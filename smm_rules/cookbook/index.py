"""`python -m smm_rules.cookbook.index docs/cookbook.md`: the list of recipes in the documentation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from smm_rules.cookbook.recipes import Recipe, recipes

_HEAD = """\
# Cookbook

{count} rules that operators want, each in a file of its own with its tests. Begin one of your own with

```sh
smm-rules rules new --list
smm-rules rules new refill-partial --name my-refills --output rules/my-refills.yaml
```

fit it to your panels and channels, then `smm-rules check` and `smm-rules test`. They are written to stand
alone: `smm-rules check` warns of two that act on the same orders when they are loaded together.
"""
_TITLES = (
    ("order", "Orders"),
    ("refill", "Refills"),
    ("balance", "Money"),
    ("service", "Services"),
    ("panel", "Panels"),
)


def page() -> str:
    """The whole page."""
    known = recipes()
    sections = [_HEAD.format(count=len(known))]
    for watch, title in _TITLES:
        chosen = [recipe for recipe in known.values() if f"\n    watch: {watch}\n" in recipe.text]
        sections.append(f"## {title}\n\n" + "".join(_entry(recipe) for recipe in chosen))
    return "\n".join(sections)


def _entry(recipe: Recipe) -> str:
    comment = " ".join(
        line.removeprefix("# ")
        for line in recipe.text.split("\nrules:")[0].splitlines()
        if "$schema" not in line
    )
    found = re.search(r"^    when: (.+)$", recipe.text, re.MULTILINE)
    when = f" `{found[1]}`" if found else ""
    return f"- **[{recipe.name}](../smm_rules/cookbook/{recipe.name}.yaml)**{when}:\n  {comment}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
