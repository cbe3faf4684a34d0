"""From a place inside a YAML text value back to its place in the file.

A condition's error has an offset in the value; the file holds quotes, escapes, folds and indentation. Each
function here rebuilds the value from the source with the place every character came from. The caller
compares: where YAML's finer rules make the rebuilt text differ, there is no exact map.
"""

from __future__ import annotations

import re

_Pairs = list[tuple[str, int]]

_INDENTATION = re.compile(r" *", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.ASCII)
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "0": "\0", "r": "\r", " ": " "}


def source_offsets(source: str, start: int, end: int, style: str, value: str) -> list[int] | None:
    """The offset in `source` of every character of `value`, or None when they can't be told.

    `start` and `end` bound the scalar in `source`, indicators included. `style` is the quote character,
    `|`, `>` or empty for a plain scalar.
    """
    raw = source[start:end]
    if style in ("|", ">"):
        pairs = _block(raw, start, value, folded=style == ">")
    elif style in ("'", '"'):
        pairs = _flow(raw[1:-1], start + 1, style)
    else:
        pairs = _flow(raw, start, style)
    if not _spells(pairs, value):
        return None
    return [offset for _, offset in pairs[: len(value)]]


def _spells(pairs: _Pairs, value: str) -> bool:
    return "".join(character for character, _ in pairs[: len(value)]) == value


def _flow(raw: str, start: int, style: str) -> _Pairs:
    """Plain and quoted scalars: a line break is a space, n blank lines are n line breaks."""
    pairs: _Pairs = []
    lines = raw.split("\n")
    at = start
    breaks: list[int] = []
    for number, line in enumerate(lines):
        text = line if number == 0 else line.lstrip(" \t")
        begin = at + len(line) - len(text)
        if number < len(lines) - 1:
            text = text.rstrip(" \t")
        if text or number in (0, len(lines) - 1):
            pairs += _joined(breaks)
            pairs += _unescaped(text, begin, style)
            breaks = []
        breaks.append(at + len(line))
        at += len(line) + 1
    return pairs


def _unescaped(text: str, begin: int, style: str) -> _Pairs:
    if style == "'":
        return _unescaped_single(text, begin)
    if style == '"' and "\\" in text:
        return _unescaped_double(text, begin)
    return [(character, begin + index) for index, character in enumerate(text)]


def _unescaped_single(text: str, begin: int) -> _Pairs:
    pairs: _Pairs = []
    index = 0
    while index < len(text):
        pairs.append((text[index], begin + index))
        index += 2 if text.startswith("''", index) else 1
    return pairs


def _unescaped_double(text: str, begin: int) -> _Pairs:
    pairs: _Pairs = []
    index = 0
    while index < len(text):
        match = _ESCAPE.match(text, index)
        if match is None:
            pairs.append((text[index], begin + index))
            index += 1
            continue
        code = match[1] or match[2] or match[3]
        pairs.append((_character(code) if code else _ESCAPED.get(match[4], match[4]), begin + index))
        index = match.end()
    return pairs


def _character(code: str) -> str:
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"


def _block(raw: str, start: int, value: str, *, folded: bool) -> _Pairs:
    """Literal and folded block scalars: a header line, then indented lines."""
    header, _, body = raw.partition("\n")
    lines = body.split("\n")
    widest = _block_indentation(lines)
    # A number in the header counts from an indentation that isn't known here, so each is tried.
    given = any(character.isdigit() for character in header.partition("#")[0])
    for indent in range(widest, 0, -1) if given else ():
        pairs = _block_lines(lines, start + len(header) + 1, indent, folded=folded)
        if _spells(pairs, value):
            return pairs
    return _block_lines(lines, start + len(header) + 1, widest, folded=folded)


def _block_lines(lines: list[str], at: int, indent: int, *, folded: bool) -> _Pairs:
    pairs: _Pairs = []
    previous = ""  # the last line that wasn't blank
    breaks: list[int] = []
    for line in lines:
        text = line[indent:]
        if text:
            if breaks:
                joined = folded and previous[:1] not in (" ", "\t", "") and text[0] not in " \t"
                pairs += _joined(breaks) if joined else [("\n", place) for place in breaks]
            pairs += [(character, at + indent + index) for index, character in enumerate(text)]
            previous, breaks = text, []
        breaks.append(at + len(line))
        at += len(line) + 1
    return pairs + [("\n", place) for place in breaks]


def _joined(breaks: list[int]) -> _Pairs:
    """One line break folds to a space; of more, the first goes and the rest stay."""
    return [(" ", breaks[0])] if len(breaks) == 1 else [("\n", place) for place in breaks[1:]]


def _block_indentation(lines: list[str]) -> int:
    for line in lines:
        match = _INDENTATION.match(line)
        width = match.end() if match else 0
        if width < len(line):
            return width
    return 0
