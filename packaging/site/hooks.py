"""What mkdocs can't do by itself: pages outside docs/ are part of the site, and each file that one links to.

Links stay as they are in the repository, where they lead to files (`../rules/`, `../systemd/README.md`); on
the site they lead to the page made of that file. mkdocs.yml names the hooks, and mkdocs calls them.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
#: Pages of the repository outside docs/, and what they are called on the site.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "systemd/README.md": "systemd.md",
    "packaging/debian/README.md": "debian-package.md",
    "benchmarks/README.md": "benchmarks.md",
}
_ORIGINS = {page: origin for origin, page in PAGES.items()}
_NAMED = re.compile(r"(?<!\\)\[[\w./-]+\.md\](?=\(([^)\s#]+\.md)\))")
_LINK = re.compile(r"(?<!\\)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_MARK = re.compile(r"^[ \t]*<!-- test: .*? -->\n", re.MULTILINE)
_CODE = re.compile(r"(^ *(```|~~~).*?^ *\2|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/, and one for each other file that a page names."""
    for origin, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / origin).read_text("utf-8")))
    for page in [file for file in files if file.src_uri.endswith(".md")]:
        for target in _outside(page):
            if files.get_file_from_path(_shown_as(target)) is None:
                files.append(File.generated(config, _shown_as(target), content=_as_page(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Without the marks of the tests, and with links that lead to pages of the site."""
    origin = _origin(page.file.src_uri)

    def led(link: re.Match[str]) -> str:
        target = _target(origin, link[1])
        if target is None:
            return link[0]
        shown = _on_site(target)
        return f"]({posixpath.relpath(shown, posixpath.dirname(page.file.src_uri) or '.')}{link[2] or ''})"

    parts = _CODE.split(_MARK.sub("", markdown))

    def titled(link: re.Match[str]) -> str:
        target = _target(origin, link[1])
        return link[0] if target is None else f"[{_title(ROOT / target)}]"

    # The expression has two groups: text, a piece of code, its fence, text, …
    parts[::3] = [_LINK.sub(led, _NAMED.sub(titled, text)) for text in parts[::3]]
    del parts[2::3]
    return "".join(parts)


def _outside(page: File) -> set[str]:
    """Files and directories outside docs/ that a page links to, but for the pages above."""
    origin = _origin(page.src_uri)
    text = _CODE.sub("", page.content_string)
    targets = {_target(origin, link[1]) for link in _LINK.finditer(text)}
    return {target for target in targets if target and not target.startswith("docs/") and target not in PAGES}


def _origin(page: str) -> str:
    """Where a page of the site is in the repository."""
    return _ORIGINS.get(page, f"docs/{page}")


def _target(origin: str, link: str) -> str | None:
    """The file or directory of the repository that a link of `origin` leads to; None for anything else."""
    if not link or ":" in link:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    return path if (ROOT / path).exists() else None


def _title(path: Path) -> str:
    """The heading of a page, which its links bear on the site where the repository's name the file."""
    found = re.search(r"(?m)^# (.*)$", path.read_text("utf-8"))
    return path.name if found is None else found[1]


def _on_site(target: str) -> str:
    if target in PAGES:
        return PAGES[target]
    return target.removeprefix("docs/") if target.startswith("docs/") else _shown_as(target)


def _shown_as(target: str) -> str:
    return f"files/{target}.md"


def _as_page(path: Path) -> str:
    """A page that shows a file, or all files of a directory."""
    shown = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    title = f"# `{path.relative_to(ROOT)}`\n"
    return title + "".join(
        f"\n{f'## {file.name}' if path.is_dir() else ''}\n\n"
        f"~~~~{_LANGUAGES.get(file.suffix, 'text')}\n{file.read_text('utf-8')}~~~~\n"
        for file in shown
    )
