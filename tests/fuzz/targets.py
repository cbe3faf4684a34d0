"""What is fuzzed: every reader of what others write. A target takes bytes; it raises on a broken promise.

The errors a reader documents are its answer; any other exception is a finding.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from smm_rules.config import load_configuration
from smm_rules.document import DocumentError
from smm_rules.document.problem import Position
from smm_rules.document.reader import read_document, read_text
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.facts.fields import readable_fields
from smm_rules.intake.lines import BadLine, IntakeOptions, SourceRefused
from smm_rules.intake.readers import read_json_lines, read_separated, read_yaml_list
from smm_rules.ledger.records import NewOrder
from smm_rules.notify.channels.webhook import retry_after
from smm_rules.notify.signature import SignatureRefused, verify
from smm_rules.panel import wire
from smm_rules.panel.errors import PanelError
from smm_rules.panel.refusals import asked_to_wait, is_plain_rate_limit, is_plain_refusal, refusal_reason
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.waits import asked_wait
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.layout import formatted, same_meaning
from smm_rules.rules.loader import load_rules
from smm_rules.rules.templates import LONGEST_OUTPUT, TemplateFailed, check_template, render, render_parameter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDS = ("1", "2", "10")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
_OPTIONS = IntakeOptions(NOW, ("north", "south"), "north")
_SCRATCH = Path(tempfile.mkdtemp(prefix="smm-rules-fuzz-"))
_AT = Position(Path("rules.yaml"), 1, 1)
_READERS: tuple[Callable[[object], object], ...] = (
    wire.read_balance,
    wire.read_new_order,
    wire.read_catalogue,
    lambda document: wire.read_order_states(document, IDS),
    lambda document: wire.read_order_states(document, IDS[:1]),
    lambda document: wire.read_refill_states(document, IDS),
    lambda document: wire.read_refill_states(document, IDS[:1]),
    lambda document: wire.read_refills(document, IDS),
    lambda document: wire.read_cancels(document, IDS),
    lambda document: wire.read_refill(document, "1"),
)
_EFFECTS = ((), ("order", "order_id"), ("refill",), ("cancel",))


def _text(data: bytes) -> str:
    """Text that may hold halves of surrogate pairs, as JSON brings them."""
    return data.decode("utf-8", "replace").replace("<half>", "\ud83d")


def wire_reader(data: bytes) -> None:
    """An answer of a panel: a status, then its body."""
    status = (200, 200, 200, 400, 401, 404, 429, 500)[data[0] % 8] if data else 200
    body = data[1:].decode("utf-8", "replace")
    for effects in _EFFECTS:
        for read in _READERS:
            with suppress(PanelError):
                answer = read(judge(Reply(status, body), effects))
                _neutral(repr(answer))
                if read is wire.read_new_order:
                    assert isinstance(answer, str)
                    assert _ID.fullmatch(answer)


def _neutral(shown: str) -> None:
    for character in shown:
        assert character.isprintable() or character in "\u200c\u200d" or character > "\uffff", ascii(shown)[
            :200
        ]


def refusals(data: bytes) -> None:
    """A panel's words of refusal."""
    words = data.decode("utf-8", "replace")[:500]
    reason = refusal_reason(words)
    assert reason
    is_plain_refusal(words)
    is_plain_rate_limit(words)
    asked = asked_to_wait(words)
    assert asked is None or asked.total_seconds() >= 0


def waits(data: bytes) -> None:
    """Headers and signatures of others."""
    text = data.decode("latin-1")
    for name in ("retry-after", "ratelimit-reset", "ratelimit", "x-ratelimit-reset"):
        wait = asked_wait({name: text, "date": text[::-1]}, NOW)
        assert wait is None or wait.total_seconds() >= 0
    wait = retry_after(text, NOW)
    assert wait is None or 0 <= wait.total_seconds() <= 86_400
    with suppress(SignatureRefused):
        verify("secret", text, b"{}", NOW)


def document(data: bytes) -> None:
    """YAML."""
    with suppress(DocumentError):
        read_text(_text(data), Path("file.yaml"))


def rule_file(data: bytes) -> None:
    """A file of rules. What loads is laid out and loads again."""
    path = _SCRATCH / "rules.yaml"
    path.write_bytes(data)
    with suppress(DocumentError):
        loaded = load_rules([path])
        before = read_document(path)
        path.write_text(formatted(before), encoding="utf-8")
        if same_meaning(before, read_document(path)):
            again = load_rules([path])
            assert [rule.name for rule in again.rules.rules] == [rule.name for rule in loaded.rules.rules]


def configuration(data: bytes) -> None:
    """A configuration."""
    path = _SCRATCH / "smm-rules.yaml"
    path.write_bytes(data)
    with suppress(DocumentError):
        load_configuration(path, {"PANEL_KEY": "x"})


def _facts(kind: EntityKind, which: int) -> Mapping[str, Value]:
    if which == 0:
        return {}
    samples: dict[str, Value] = {
        "boolean": which == 1,
        "number": 10**14 if which == 1 else -3,
        "money": Decimal("1E-12") if which == 1 else Decimal(10) ** 15,
        "text": "Ünï\u200d" if which == 1 else "",
        "order status": "Partial" if which == 1 else "Never heard of",
        "refill status": "Completed" if which == 1 else "",
        "time": NOW,
    }
    facts: dict[str, Value] = {"placed_at": NOW}
    for field in readable_fields(kind).values():
        facts[field.since or field.name] = NOW if field.since else samples.get(field.type.value, UNKNOWN)
    return facts


def condition(data: bytes) -> None:
    """A condition: the kind of thing, then its text."""
    kinds = tuple(EntityKind)
    kind = kinds[data[0] % len(kinds)] if data else EntityKind.ORDER
    with suppress(DocumentError):
        compiled = compile_condition(_text(data[1:]), kind, _AT)
        for which in range(3):
            facts = _facts(kind, which)
            held = compiled.holds(facts, NOW)
            assert held in (True, False, None)
            assert compiled.trace(facts, NOW).truth is held
        compiled.turns()


def template(data: bytes) -> None:
    """A template, checked and rendered."""
    text = _text(data)
    facts = {name: value for name, value in _facts(EntityKind.ORDER, 1).items() if value is not UNKNOWN}
    check_template(text, frozenset(facts), EntityKind.ORDER)
    for fill_in in (render, render_parameter):
        with suppress(TemplateFailed):
            filled = fill_in(text, facts, {"rule.name": "r"})  # type: ignore[arg-type]
            assert len(filled) <= LONGEST_OUTPUT or fill_in is render_parameter
            assert "<bound method" not in filled
            assert "object at 0x" not in filled


def _intake(read: Callable[..., object]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        with suppress(SourceRefused):
            for line in read(io.BytesIO(data), _OPTIONS):  # type: ignore[attr-defined]
                assert isinstance(line, NewOrder | BadLine)
                str(line)

    return run


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire_reader,
    "refusals": refusals,
    "waits": waits,
    "document": document,
    "rules": rule_file,
    "configuration": configuration,
    "condition": condition,
    "template": template,
    "intake_csv": _intake(read_separated),
    "intake_jsonl": _intake(read_json_lines),
    "intake_yaml": _intake(read_yaml_list),
}
