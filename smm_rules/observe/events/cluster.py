"""Events of workers that share a ledger."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "worker.started",
        "info",
        ("version", "worker", "epoch", "panels", "rules", "generation", "mode", "ledger"),
        "The worker takes jobs. `epoch` is the number of its lease, `generation` that of the rules in force.",
    ),
    Event("worker.stopping", "info", ("under_way",), "A stop was asked for; what is under way is finished."),
    Event(
        "worker.drain_timed_out",
        "warning",
        ("under_way", "seconds"),
        "The jobs named took longer than `stop_timeout` and were cancelled. A paid call among "
        "them is in doubt.",
        "`smm-rules intents list --state unknown`",
    ),
    Event("worker.stopped", "info", ("drained",), "The worker ended."),
    Event(
        "worker.failed",
        "error",
        ("error",),
        "A part of the worker died, so all of it ends; its supervisor starts it again.",
        "Keep the log of the minutes before and report it.",
    ),
    Event(
        "worker.lease_begun",
        "info",
        ("epoch", "seconds"),
        "The worker has a lease: while it renews it nobody takes the worker for dead.",
    ),
    Event(
        "worker.lease_lost",
        "error",
        ("epoch",),
        "Others took this worker for dead: it was stopped, cut off or too busy for as long as its lease. "
        "What it was sending is in doubt. It takes a new lease and goes on.",
        "Look for what held it up: a sleeping machine, a full CPU, the network to the ledger's server.",
    ),
    Event("worker.lease_ended", "info", ("epoch",), "The worker gave its lease back: nothing is under way."),
    Event(
        "worker.lease_left",
        "warning",
        ("error",),
        "The lease couldn't be given back at the stop; others take over when it has run out.",
    ),
    Event(
        "worker.taken_for_dead",
        "error",
        ("workers", "epochs"),
        "The leases of these workers ran out. What they were sending is in doubt and told to the operator; "
        "the rest of their work goes on elsewhere.",
        "Look at those machines.",
    ),
    Event(
        "worker.server_away",
        "warning",
        ("error", "lease_left"),
        "The ledger's server doesn't answer. Nothing is claimed once the lease has run out, `lease_left` "
        "seconds from now; what is under way is settled when the server is back.",
        "Look at the server and the network between.",
    ),
    Event("worker.server_back", "info", (), "The ledger's server answers again."),
    Event(
        "worker.rules_put_into_force",
        "info",
        ("generation", "rules"),
        "The rules of this machine's files are in force for all workers now.",
    ),
    Event(
        "worker.rules_reloaded",
        "info",
        ("generation", "rules", "restarted", "holds_ended", "asked_by"),
        "Changed rule files were read and put into force. `restarted` rules lost unfinished holds.",
    ),
    Event(
        "worker.rules_followed",
        "info",
        ("generation",),
        "This machine's files are those in force again; the worker takes jobs.",
    ),
    Event(
        "worker.rules_behind",
        "error",
        ("generation", "files"),
        "Other rules are in force than this machine's files have: the worker looks at nothing and "
        "sends nothing.",
        "Bring the same rule files to every machine. To go back to these on purpose: `smm-rules worker "
        "--adopt-rules`.",
    ),
    Event(
        "worker.rules_outdated",
        "info",
        (),
        "Other rules came into force during a job: what it had come to was dropped, and is done anew by "
        "them.",
    ),
    Event(
        "worker.rules_unknown",
        "warning",
        ("error",),
        "Which rules are in force couldn't be asked; it is tried again.",
    ),
    Event(
        "worker.settings_differ",
        "warning",
        ("workers",),
        "These workers have another configuration than this one: panels, guards or channels may differ.",
        "Bring the same configuration to every machine.",
    ),
    Event(
        "worker.queue_failed",
        "warning",
        ("queue", "error"),
        "The queue of jobs couldn't be served, most often because the server was away; it is served again.",
    ),
    Event(
        "worker.job_cut_off",
        "warning",
        ("job", "error"),
        "The server went away during a job, or the worker was taken for dead: the job is done anew.",
    ),
    Event(
        "worker.job_dropped",
        "info",
        ("job",),
        "A job that nobody did any more was taken out of the queue; what it was about is found anew.",
    ),
    Event(
        "worker.not_handed_over", "debug", ("error",), "What was wanted at once waits for the next dispatch."
    ),
    Event(
        "worker.round_failed",
        "debug",
        ("error",),
        "A round of the worker's own upkeep failed; the next tries.",
    ),
    Event(
        "worker.pause_unshared",
        "warning",
        ("panel", "error"),
        "A panel asked to be left alone, and the other workers couldn't be told; this one keeps to it.",
    ),
    Event(
        "worker.unit_unknown",
        "warning",
        ("unit",),
        "Another worker handed out a job about a panel that this one's configuration doesn't have.",
        "Bring the same configuration to every machine.",
    ),
)
