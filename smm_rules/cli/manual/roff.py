"""Text as the man macros of troff and mandoc read it (see man(7))."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CODE = re.compile(r"`([^`]+)`")
#: What click puts before a paragraph that is not to be wrapped.
_VERBATIM = "\b"


def escaped(text: str) -> str:
    """Text that troff leaves as it is: no escapes, no request at the beginning of a line, ASCII hyphens."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in text.split("\n"))


def inline(text: str) -> str:
    """A paragraph's text, with `code` in bold."""
    return _CODE.sub(lambda found: f"\\fB{found[1]}\\fR", escaped(text))


def argument(text: str) -> str:
    """Text as one argument of a macro."""
    return '"' + inline(text).replace('"', "\\(dq") + '"'


def title(name: str, section: int, date: str, source: str) -> str:
    """The page's first line."""
    # The date keeps its hyphens: it is parsed, not set.
    return f'.TH {argument(name.upper())} {section} "{date}" {argument(source)} "smm\\-rules"'


def section(name: str) -> str:
    """A heading."""
    return f".SH {argument(name)}"


def subsection(name: str) -> str:
    """A heading below a heading."""
    return f".SS {argument(name)}"


def item(label: str, text: str) -> list[str]:
    """A label in bold and what it means, indented."""
    lines = [".TP", f".B {argument(label)}"]
    return [*lines, inline(text)] if text.strip() else [*lines, "\\&"]


def paragraphs(text: str) -> list[str]:
    """A command's help: paragraphs, and verbatim those that begin with click's mark."""
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if part.strip().startswith(_VERBATIM) or part.startswith(_VERBATIM):
            lines += verbatim(part.replace(_VERBATIM, "").strip("\n").split("\n"))
        elif part.strip():
            lines += [".PP", inline(" ".join(part.split()))]
    return lines


def verbatim(shown: Iterable[str]) -> list[str]:
    """Lines as they are, indented."""
    return [".PP", ".RS 4", ".nf", *(escaped(line.rstrip()) or "\\&" for line in shown), ".fi", ".RE"]


def page(lines: Iterable[str]) -> str:
    """The text of a page: its lines, less paragraphs that a heading begins already."""
    kept: list[str] = []
    for line in lines:
        if line == ".PP" and kept and kept[-1].startswith((".SH ", ".SS ")):
            continue
        kept.append(line)
    return "\n".join(kept) + "\n"
