"""The site is built without a warning, has every page of docs/, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import markdown
import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import ROOT, every_page

PLAIN = {"pymdownx.highlight": {"use_pygments": False}}

#: What a browser loads by itself, by the attribute that names it.
_LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", directory],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return directory


def elements(html: str) -> Counter[str]:
    """How many there are of what gives a page its shape."""
    shaping = ("li", "ul", "ol", "table", "tr", "pre", "h1", "h2", "h3", "blockquote")
    return Counter(name for name in re.findall(r"<(\w+)[ >]", html) if name in shaping)


@pytest.mark.parametrize(
    "path", [*every_page(), *sorted((ROOT / "docs" / "adr").glob("*.md"))], ids=lambda path: path.stem
)
def test_a_page_has_the_same_shape_on_the_site_and_in_the_repository(path: Path) -> None:
    """The site's Markdown wants an empty line before a list where others need none."""
    text = path.read_text(encoding="utf-8")
    extensions = ["tables", "pymdownx.superfences", "pymdownx.tasklist"]
    shown = markdown.markdown(text, extensions=[*extensions, "pymdownx.highlight"], extension_configs=PLAIN)
    assert elements(shown) == elements(MarkdownIt("commonmark").enable("table").render(text))


class Loaded(HTMLParser):
    """The addresses that a page loads something from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _LOADED and given.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(given.get(_LOADED[tag]) or "")


def test_every_page_is_there_and_the_readme_is_the_first(site: Path) -> None:
    missing = [
        page.stem for page in (ROOT / "docs").glob("*.md") if not (site / f"{page.stem}.html").exists()
    ]
    assert missing == []
    assert "See it work" in (site / "index.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = {
        (page.name, address)
        for page in site.rglob("*.html")
        for address in Loaded(page.read_text(encoding="utf-8")).addresses
        if re.match(r"(https?:)?//", address)
    }
    assert loaded == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(\s*['\"]?(?:https?:)?//", styles) == []


def test_files_of_the_repository_that_a_page_links_to_are_pages_and_marks_are_gone(site: Path) -> None:
    assert "status ==" in (site / "files/smm_rules/cookbook/stuck-order.yaml.html").read_text(
        encoding="utf-8"
    )
    assert 'href="files/rules.html"' in (site / "index.html").read_text(encoding="utf-8")
    assert [
        page.name for page in site.rglob("*.html") if "<!-- test:" in page.read_text(encoding="utf-8")
    ] == []
