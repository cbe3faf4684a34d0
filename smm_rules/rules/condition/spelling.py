"""How marks are spelt, and what people write for them out of habit."""

from __future__ import annotations

RIGHT_MARKS = frozenset({"==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ","})
MEANT_MARKS = {
    "=": "==",
    "===": "==",
    ":=": "==",
    "!==": "!=",
    "<>": "!=",
    "=!": "!=",
    "≠": "!=",
    "=<": "<=",
    "≤": "<=",
    "=>": ">=",
    "≥": ">=",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "×": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
}
WORD_MARKS = frozenset({"and", "or", "not", "in"})
NOTHINGS = frozenset({"null", "none", "nil", "undefined", "unknown"})
CURLY_QUOTES = "“”„«»‘’‚‹›"
WAYS_OUT = {
    "**": "Write the multiplication out",
    "//": "Divide with `/`",
    "%": "Write a percentage as `10%`, without a space",
    ";": "Join conditions by `and`",
    ":": "Compare with `==`",
    "{": "Write a list in parentheses: `(1, 2)`",
    ".": "Write a fact as `service.refill`, without spaces",
}
