"""What a YAML parser's complaint means, in words for people who don't know YAML's grammar."""

from __future__ import annotations

import re

import yaml

_QUOTE = "Put the whole text in quotes"
_ALIGN = "Keys of one mapping begin in the same column, each on its own line"
_TEMPLATE = re.compile(r"(?:^|[:\-]\s+)(\{[{%])", re.MULTILINE)
UNQUOTED_TEMPLATE = ("A text with {{ … }} must stand in quotes", 'Write it as "… {{ name }} …"')

_COLON_MISSING = ('A ":" is missing after this key', 'Write it as "key: value"')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', re.DOTALL)

#: A part of the parser's words → a sentence and a way out.
_SENTENCES: tuple[tuple[str, str, str], ...] = (
    ("mapping values are not allowed", 'A ":" is not expected here', f"{_QUOTE}, or check the indentation"),
    ("undefined tag", "Tags such as !!str are not used here", "Leave it out"),
    ("unknown escape", 'After a "\\" in double quotes only a few letters are allowed', "Use single quotes"),
    ("escape sequence", 'This "\\" begins an escape that isn\'t complete', "Use single quotes"),
    ("comment or line break", "After | or > the text begins on the next line", "Begin a new line there"),
    ("chomping or indentation", "After | or > the text begins on the next line", "Begin a new line there"),
    ("tab character", "Tabs can't indent in YAML", "Use spaces"),
    ("'\\t'", "Tabs can't indent in YAML", "Use spaces"),
    ("expected ':'", *_COLON_MISSING),
    ("entries are not allowed", 'A "- " is not expected here', "Begin the list on a new line below its key"),
    ("nesting depth", "Values are nested too deeply", ""),
    ("node content", "This closing bracket was never opened", _QUOTE),
    ("incompatible YAML", "This YAML version is not known", "Remove the line beginning with %YAML"),
    (
        "'-' indicator",
        "This line doesn't fit the lines above it: a list's next item begins with \"- \"",
        "Check the indentation",
    ),
    ("document start", "The file ends here for YAML, and more text follows", _ALIGN),
    ("expected key", "This doesn't fit the lines above it", _ALIGN),
    ("<block end>", "This doesn't fit the lines above it", _ALIGN),
    ("directive", "A line can't begin with %", _QUOTE),
    ("%", "A line can't begin with %", _QUOTE),
)
_OPENED: tuple[tuple[str, str, str], ...] = (
    ("quoted scalar", "end of stream", "The quote opened here is never closed"),
    ("quoted scalar", "document indicator", "The quote opened here is never closed"),
    ("flow sequence", "", 'The "[" opened here has no "]" where one is expected'),
    ("flow mapping", "", 'The "{" opened here has no "}" where one is expected'),
)


def explain(error: yaml.YAMLError, text: str, open_bracket: int | None) -> tuple[int, str, str]:
    """The offset, the sentence and the suggestion for a parser's error in `text`.

    `open_bracket` is where the innermost bracket stands that was open when the parser gave up.
    """
    problem = str(getattr(error, "problem", "") or "")
    context = str(getattr(error, "context", "") or "")
    offset = _offset(getattr(error, "problem_mark", None), text)
    start = getattr(error, "context_mark", None)
    template = _template_start(text, offset)
    if template is not None:
        return template, *UNQUOTED_TEMPLATE
    if open_bracket is not None and not text[offset:].strip():
        bracket = text[open_bracket]
        return open_bracket, f'The "{bracket}" opened here is never closed', ""
    if start is not None and "expected ':'" in problem:
        return _offset(start, text), *_COLON_MISSING
    if text[offset : offset + 1] in ("}", "]") and "flow" not in context:
        return offset, "This closing bracket was never opened", "Delete it, or put the whole text in quotes"
    quote = _quote_over_lines(text, _offset(start, text), offset) if "flow" in context else None
    if quote is not None:
        return quote, "The quote opened here is not closed on its line", "Close it where the text ends"
    for doing, saw, sentence in _OPENED:
        if doing in context and saw in problem and start is not None and "tab" not in problem:
            return _offset(start, text), sentence, ""
    if "alias" in context or "anchor" in context:
        return (
            (offset if start is None else _offset(start, text)),
            "A text can't begin with * or & without quotes",
            _QUOTE,
        )
    if "cannot start any token" in problem and "\\t" not in problem:
        return offset, *_bad_start(text[offset : offset + 1])
    for words, sentence, suggestion in _SENTENCES:
        if words in problem:
            return offset, sentence, suggestion
    return offset, "This is not valid YAML", "Check quotes, brackets and indentation"


def _quote_over_lines(text: str, start: int, end: int) -> int | None:
    """Where a quoted text begins that goes over the end of a line, between two places within brackets."""
    quoted = (match for match in _QUOTED.finditer(text, start) if match.start() < end)
    return next((match.start() for match in quoted if "\n" in match[0]), None)


def _bad_start(character: str) -> tuple[str, str]:
    if character == "\t":
        return "Tabs can't indent in YAML", "Use spaces"
    return f'A text can\'t begin with "{character}" without quotes', _QUOTE


def _offset(mark: object, text: str) -> int:
    return min(int(getattr(mark, "index", 0)), len(text))


def _template_start(text: str, offset: int) -> int | None:
    """Where on the error's line a value begins with an unquoted template, if one does."""
    start = text.rfind("\n", 0, offset) + 1
    match = _TEMPLATE.search(text, start, offset + 1)
    return match.start(1) if match else None
