"""Every metric there is, with its type, labels and meaning: what docs/metrics.md is made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "smm_rules_"


class Kind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` is without prefix and without the `_total` of counters."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str

    @property
    def full_name(self) -> str:
        """As Prometheus has it."""
        return f"{PREFIX}{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"


def _gauge(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels, meaning)


def _counter(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, meaning)


#: What the ledger knows: there also without a daemon in the process, and over its restarts.
OF_LEDGER = (
    _gauge("orders", ("panel", "status"), "Watched orders; the status is empty for those not read yet."),
    _gauge("orders_due", (), "Orders that are to be looked at by now."),
    _gauge("order_lateness_seconds", ("panel",), "How late the order most overdue is."),
    _gauge("panel_reachable", ("panel",), "1 when the panel answered last, 0 when it didn't."),
    _gauge("panel_last_answer_timestamp_seconds", ("panel",), "When the panel last answered."),
    _gauge("panel_balance", ("panel", "currency"), "The balance as last read."),
    _gauge("intents", ("state",), "Actions kept in the ledger by state; `unknown` are in doubt."),
    _gauge("oldest_doubt_age_seconds", (), "How long the oldest action in doubt has been so; 0 without one."),
    _gauge("oldest_held_age_seconds", (), "How long the oldest held action has waited; 0 without one."),
    _gauge("reserved_money", ("currency",), "Money set aside for actions that may still cost it."),
    _gauge(
        "budget_used_ratio",
        ("scope", "name", "per", "currency"),
        "The used share of each budget; `currency` is `actions` for a number of actions.",
    ),
    _gauge("messages", ("state",), "Messages in the outbox by state; `dead` were given up."),
    _gauge("stops", ("kind",), "Pauses, panics and open breakers in force."),
    _gauge("on_hold", (), "1 while nothing is sent because the ledger may have forgotten something."),
    _gauge("heartbeat_age_seconds", (), "How long ago a daemon last said that it lives."),
)
#: What happened in the process since it started. There only where the daemon serves the page itself.
OF_PROCESS = (
    _gauge("info", ("version", "mode"), "Always 1."),
    _gauge("job_rest_seconds", ("job",), "How long ago each job of the daemon last got on."),
    _gauge("jobs_stuck", (), "Jobs that have stood still for too long."),
    _gauge("orders_late_seconds", ("panel",), "How late the last look at orders was."),
    _counter("orders_asked", ("panel",), "Orders that a panel was asked about."),
    _counter("requests", ("panel", "action", "outcome"), "Requests to panels, and how they ended."),
    _counter("polls_failed", ("panel", "what"), "Looks at a panel that failed."),
    _counter("looks_failed", ("panel",), "Answers about single things that couldn't be taken in."),
    _counter("missing", ("panel", "kind"), "Things a panel was asked about and left out of its answer."),
    _counter("evaluations", ("rule", "reason"), "Evaluations that came to something new, and to what."),
    _counter("evaluations_failed", ("rule",), "Evaluations that ended in an error."),
    _counter("actions", ("state",), "Actions that ended, by how."),
    _counter("deliveries", ("channel", "outcome"), "Deliveries of messages, by how they ended."),
    _counter(
        "messages_kept_back",
        ("channel", "reason"),
        "Messages of alerts that were kept back or suppressed, by why.",
    ),
    _counter("reloads", ("result",), "Reloads of the rules."),
    _counter(
        "intake_requests",
        ("client", "operation", "status"),
        "Requests to the HTTP intake, by program (`-`: an unknown one) and HTTP status.",
    ),
    _counter("jobs_missed", ("job",), "Runs of jobs that came late."),
    _counter("jobs_overlapped", ("job",), "Runs of jobs left out because the one before was at work."),
    _counter("jobs_raised", ("job",), "Runs of jobs that ended in an error."),
    _counter("queue_failures", ("queue",), "Troubles of a worker with the queue of jobs."),
    _counter("jobs_dropped", (), "Jobs of the queue that no worker was at any more."),
    _counter("jobs_cut_off", ("job",), "Jobs of the queue that were cut off by the server or a lost lease."),
    _counter("workers_lost", (), "Workers whose lease ended without a word."),
    _counter("watchdog_withheld", (), "Heartbeats kept from systemd's watchdog because a job was stuck."),
)
METRICS = {metric.name: metric for metric in (*OF_LEDGER, *OF_PROCESS)}


def table(metrics: tuple[Metric, ...]) -> str:
    """The metrics as a table of docs/metrics.md."""
    lines = ["| metric | labels | meaning |", "|---|---|---|"]
    for one in metrics:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(f"| `{one.full_name}` | {labels} | {one.meaning} |")
    return "\n".join(lines) + "\n"
