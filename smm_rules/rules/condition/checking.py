"""The checker: from Python's syntax tree to a typed one, by an allow-list, with every problem on the way."""

from __future__ import annotations

import ast
from dataclasses import replace

from smm_rules.document.problem import did_you_mean
from smm_rules.facts import EntityKind, FactType, Field, readable_fields
from smm_rules.rules.condition.calls import check_call
from smm_rules.rules.condition.comparing import check_comparison
from smm_rules.rules.condition.complaint import Complaint
from smm_rules.rules.condition.functions import FUNCTIONS, NUMERIC
from smm_rules.rules.condition.grammar import Parsed
from smm_rules.rules.condition.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    Call,
    Comparison,
    IsKnown,
    Literal,
    Negative,
    Node,
    Operation,
    Opposite,
    Options,
    Read,
    Relation,
)
from smm_rules.rules.condition.tokens import Token, TokenKind
from smm_rules.rules.condition.typing_rules import (
    A_DURATION,
    arithmetic_message,
    arithmetic_type,
    boolean_suggestion,
    described,
)

#: A deeper tree is no rule a person wrote; the bound keeps every walk over a tree within Python's stack.
DEEPEST_TREE = 60
_LITERAL_TYPES = {
    TokenKind.TEXT: FactType.TEXT,
    TokenKind.BOOLEAN: FactType.BOOLEAN,
    TokenKind.NUMBER: FactType.NUMBER,
    TokenKind.MONEY: FactType.MONEY,
    TokenKind.DURATION: FactType.DURATION,
}
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: Relation.EQUAL,
    ast.NotEq: Relation.UNEQUAL,
    ast.Lt: Relation.LESS,
    ast.LtE: Relation.AT_MOST,
    ast.Gt: Relation.GREATER,
    ast.GtE: Relation.AT_LEAST,
    ast.In: Relation.IN,
    ast.NotIn: Relation.NOT_IN,
}
_OPERATIONS: dict[type[ast.operator], Operation] = {
    ast.Add: Operation.ADD,
    ast.Sub: Operation.SUBTRACT,
    ast.Mult: Operation.MULTIPLY,
    ast.Div: Operation.DIVIDE,
}
_SIGNED = NUMERIC | {FactType.DURATION}
_HABITS = {
    "yes": "Write `true`",
    "no": "Write `false`",
    "on": "Write `true`",
    "off": "Write `false`",
    "now": "Facts such as `age` tell how long ago something was: `age < 3d`",
    "today": "Facts such as `age` tell how long ago something was: `age < 1d`",
}


class Checker:
    """Checks the conditions of one kind of watched thing; `complaints` gathers what is wrong."""

    def __init__(self, kind: EntityKind) -> None:
        self.kind = kind
        self.fields = readable_fields(kind)
        self.complaints: list[Complaint] = []

    def condition(self, parsed: Parsed) -> Node | None:
        """The typed tree of a whole condition, None when something is wrong with it."""
        node = _Walk(self, parsed).boolean(parsed.tree)
        return None if self.complaints else node

    def names(self, tokens: tuple[Token, ...]) -> None:
        """Only the names of a condition that isn't a sentence: what can still be said about it."""
        for index, token in enumerate(tokens):
            if token.kind is TokenKind.NAME and token.word not in FUNCTIONS:
                following = tokens[index + 1].word if index + 1 < len(tokens) else ""
                if following != "(":
                    self.field(token)

    def complain(self, offset: int, message: str, suggestion: str = "") -> None:
        """Notes a problem."""
        self.complaints.append(Complaint(offset, message, suggestion))

    def field(self, token: Token) -> Field | None:
        """The field a name means."""
        found = self.fields.get(token.word)
        if found is None:
            suggestion = _HABITS.get(token.word.lower()) or did_you_mean(token.word, self.fields)
            article = "an" if self.kind is EntityKind.ORDER else "a"
            message = f'{article} {self.kind} has no fact "{token.word}"'
            self.complain(token.start, message, suggestion or self._quoted_status(token.word))
        return found

    def _quoted_status(self, word: str) -> str:
        return f'A text or a status stands in quotes: `"{word}"`' if word[:1].isupper() else ""


class _Walk:
    """One walk over one tree. A part with a problem becomes None, and what holds it asks no more of it."""

    def __init__(self, checker: Checker, parsed: Parsed) -> None:
        self.checker = checker
        self.parsed = parsed
        self.depth = 0

    def node(self, tree: ast.expr) -> Node | None:
        if self.depth >= DEEPEST_TREE:
            if self.depth == DEEPEST_TREE:
                self._complain(tree, "the condition is nested too deeply", "Split it into several rules")
            return None
        self.depth += 1
        try:
            return self._node(tree)
        finally:
            self.depth -= 1

    def _node(self, tree: ast.expr) -> Node | None:
        match tree:
            case ast.Name():
                return self._name(tree)
            case ast.BoolOp():
                return self._joined(tree)
            case ast.UnaryOp(op=ast.Not()):
                operand = self.boolean(tree.operand)
                return None if operand is None else Opposite(FactType.BOOLEAN, *self._place(tree), operand)
            case ast.UnaryOp(op=ast.USub()):
                return self._negative(tree)
            case ast.BinOp():
                return self._arithmetic(tree)
            case ast.Compare():
                return self._comparison(tree)
            case ast.Call(func=ast.Name()):
                return self._call(tree)
            case ast.Tuple() | ast.List():
                self._complain(
                    tree,
                    "a list can only stand after `in`",
                    'Write it like `status in ("Partial", "Canceled")`',
                )
            case _:
                self._complain(tree, "this isn't part of the condition language")
        return None

    def _place(self, tree: ast.expr) -> tuple[str, int]:
        return self.parsed.text(tree), self.parsed.start(tree)

    def _complain(self, tree: ast.expr, message: str, suggestion: str = "") -> None:
        self.checker.complain(self.parsed.start(tree), message, suggestion)

    def boolean(self, tree: ast.expr) -> Node | None:
        """A part that must be true or false."""
        node = self.node(tree)
        if node is None or node.type is FactType.BOOLEAN:
            return node
        self._complain(tree, f"{described(node)} is neither true nor false", boolean_suggestion(node))
        return None

    def _name(self, tree: ast.Name) -> Node | None:
        token = self.parsed.token(tree)
        if token.kind is TokenKind.NAME:
            field = self.checker.field(token)
            return None if field is None else Read(field.type, *self._place(tree), field)
        return Literal(_LITERAL_TYPES[token.kind], *self._place(tree), token.value, token.currency)

    def _joined(self, tree: ast.BoolOp) -> Node | None:
        parts: list[Node] = []
        for part in tree.values:
            previous = parts[-1] if parts else None
            node = self._or_of_texts(part, previous) or self.boolean(part)
            if node is not None:
                parts.append(node)
        if len(parts) < len(tree.values):
            return None
        join = AllOf if isinstance(tree.op, ast.And) else AnyOf
        return join(FactType.BOOLEAN, *self._place(tree), tuple(parts))

    def _or_of_texts(self, tree: ast.expr, previous: Node | None) -> Node | None:
        """`status == "Partial" or "Canceled"`: the commonest slip has its own way out."""
        if not (isinstance(tree, ast.Name) and self.parsed.token(tree).kind is TokenKind.TEXT):
            return None
        if not (
            isinstance(previous, Comparison) and previous.relations[0] in (Relation.EQUAL, Relation.UNEQUAL)
        ):
            return None
        word = "in" if previous.relations[0] is Relation.EQUAL else "not in"
        first, second = previous.operands[:2]
        text = self.parsed.token(tree).word
        self._complain(
            tree,
            f"the text `{text}` alone is neither true nor false",
            f"Write `{first.text} {word} ({second.text}, {text})`",
        )
        return previous

    def _negative(self, tree: ast.UnaryOp) -> Node | None:
        operand = self.node(tree.operand)
        if operand is None:
            return None
        if operand.type not in _SIGNED:
            self._complain(tree, f"{described(operand)} can't have a minus before it")
            return None
        text, start = self._place(tree)
        if isinstance(operand, Literal) and not isinstance(operand.value, str):
            return replace(operand, text=text, start=start, value=-operand.value)  # type: ignore[operator]  # the type is one of _SIGNED
        return Negative(operand.type, text, start, operand)

    def _arithmetic(self, tree: ast.BinOp) -> Node | None:
        left, right = self.node(tree.left), self.node(tree.right)
        operation = _OPERATIONS.get(type(tree.op))
        if left is None or right is None or operation is None:
            return None
        kind = arithmetic_type(operation, left.type, right.type)
        if kind is None:
            durations = FactType.DURATION in (left.type, right.type) or FactType.TIME in (
                left.type,
                right.type,
            )
            suggestion = A_DURATION if durations else ""
            self._complain(tree, arithmetic_message(operation, left, right), suggestion)
            return None
        return Arithmetic(kind, *self._place(tree), operation, left, right)

    def _comparison(self, tree: ast.Compare) -> Node | None:
        relations = tuple(_RELATIONS[type(operator)] for operator in tree.ops if type(operator) in _RELATIONS)
        operands = [self.node(tree.left)]
        for relation, operand in zip(relations, tree.comparators, strict=True):
            is_list = relation in (Relation.IN, Relation.NOT_IN) and self._is_list(operand)
            operands.append(self._options(operand) if is_list else self.node(operand))
        whole = tuple(operand for operand in operands if operand is not None)
        if len(whole) < len(operands):
            return None
        comparison = Comparison(FactType.BOOLEAN, *self._place(tree), whole, relations)
        return check_comparison(comparison, self.checker)

    def _is_list(self, tree: ast.expr) -> bool:
        """Also one value in parentheses, which Python wouldn't take for a list but everybody else does."""
        if not isinstance(tree, ast.Name):
            return isinstance(tree, ast.Tuple | ast.List)
        literal = self.parsed.token(tree).kind is not TokenKind.NAME
        return literal and self.parsed.word_before(tree) == "("

    def _options(self, tree: ast.expr) -> Node | None:
        elements = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
        if not elements:
            self._complain(tree, "the list is empty", 'Write it like `status in ("Partial", "Canceled")`')
            return None
        items: list[Literal] = []
        for element in elements:
            item = self.node(element)
            if isinstance(item, Literal):
                items.append(item)
            elif item is not None:
                self._complain(
                    element, f"a list holds plain values, not `{item.text}`", "Join comparisons by `or`"
                )
        if len(items) < len(elements):
            return None
        return Options(items[0].type, *self._place(tree), tuple(items))

    def _call(self, tree: ast.Call) -> Node | None:
        assert isinstance(tree.func, ast.Name)
        token = self.parsed.token(tree.func)
        function = FUNCTIONS.get(token.word)
        if function is None:
            near = did_you_mean(token.word, FUNCTIONS)
            known = f"The functions are {', '.join(FUNCTIONS)}"
            message = f'there is no function "{token.word}"'
            if token.kind is not TokenKind.NAME:
                message, near = f"`{token.word}` can't be called", "Put an operator before the parenthesis"
            self.checker.complain(token.start, message, near or known)
            return None
        if tree.keywords or any(isinstance(argument, ast.Starred) for argument in tree.args):
            self._complain(
                tree, f"`{function.name}` takes plain values", f"Write it like `{function.example}`"
            )
            return None
        if function.name == "known":
            return self._known(tree)
        arguments = [self.node(argument) for argument in tree.args]
        whole = tuple(argument for argument in arguments if argument is not None)
        if len(whole) < len(arguments):
            return None
        kind = function.gives or (whole[0].type if whole else FactType.NUMBER)
        return check_call(Call(kind, *self._place(tree), function, whole), self.checker)

    def _known(self, tree: ast.Call) -> Node | None:
        argument = tree.args[0] if len(tree.args) == 1 else None
        if not (isinstance(argument, ast.Name) and self.parsed.token(argument).kind is TokenKind.NAME):
            self._complain(tree, "`known` takes one fact", "Write it like `known(start_count)`")
            return None
        field = self.checker.field(self.parsed.token(argument))
        return None if field is None else IsKnown(FactType.BOOLEAN, *self._place(tree), field)
