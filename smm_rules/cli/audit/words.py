"""An entry of the record in a sentence."""

from __future__ import annotations

from smm_rules.ledger.audit import AuditEntry, AuditKind


def sentence(entry: AuditEntry) -> str:
    """What was decided, in words."""
    data = entry.data
    match entry.kind:
        case AuditKind.FIRING:
            return f"rule {data['rule']} {data['occasion']} (version {data['rule_version']})"
        case AuditKind.INTENT:
            return f"intent {data['intent']}: {data['kind']} {_became(entry)}{_money(entry)}"
        case AuditKind.TRANSITION:
            return f"intent {data['intent']}: {data['before']} → {_became(entry)}"
        case AuditKind.EVIDENCE:
            return f"intent {data['intent']}: noted {_names(data['evidence'])}"
        case AuditKind.RULES:
            return _rules(entry)
        case AuditKind.TRACK:
            return f"{data['new']} of {data['given']} orders given are watched anew"
        case AuditKind.FORGET:
            return "watched no more"
        case AuditKind.OUTBOX:
            return f"{data['what']} message {_names(data['messages'])}"
        case AuditKind.CHECKPOINT:
            return f"entries {data['first']} to {data['last']} were sealed and dropped"
    told = ", ".join(f"{name} {_text(value)}" for name, value in data.items() if value not in ("", None))
    return f"{entry.kind.replace('_', ' ')}: {told}" if told else entry.kind.replace("_", " ")


def _became(entry: AuditEntry) -> str:
    data = entry.data
    because = data.get("message") or data.get("reason")
    result = f", {data['result']}" if data.get("result") else ""
    return f"{data['after']}{result}{f' ({because})' if because else ''}"


def _money(entry: AuditEntry) -> str:
    reserved = entry.data.get("reserved")
    return "" if reserved is None else f", {reserved} {entry.data.get('currency') or ''}".rstrip()


def _rules(entry: AuditEntry) -> str:
    parts = [
        f"{word} {', '.join(map(str, names))}"
        for word in ("added", "changed", "removed")
        if isinstance(names := entry.data.get(word), list) and names
    ]
    count = len(entry.data["in_force"]) if isinstance(entry.data["in_force"], dict) else 0
    return f"{count} rules in force" + (f": {'; '.join(parts)}" if parts else "")


def _names(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, dict) else str(value)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
