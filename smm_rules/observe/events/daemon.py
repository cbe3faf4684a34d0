"""Events of the daemon's life."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "daemon.started",
        "info",
        ("version", "panels", "rules", "mode", "ledger"),
        "The daemon is ready and watching.",
    ),
    Event(
        "daemon.on_hold",
        "error",
        ("reason", "since", "known_until", "stamped_at", "intents", "orders"),
        "The ledger may have forgotten what was done: it was put back from a copy, or its stamp is missing. "
        "The daemon reads and plans, and sends nothing. `intents` are the first and last ID, `orders` the "
        "last orders confirmed, that the ledger doesn't know.",
        "`smm-rules hold show`, compare with the panels, then `smm-rules hold confirm`.",
    ),
    Event(
        "daemon.lock_lost",
        "error",
        (),
        "Another daemon took over the ledger in a database while its server was away. This one ends.",
        "Run one daemon a ledger; for several machines: `smm-rules worker`.",
    ),
    Event("daemon.stopping", "info", ("under_way",), "A stop was asked for; what is under way is finished."),
    Event(
        "daemon.drain_timed_out",
        "warning",
        ("under_way", "seconds"),
        "The jobs named took longer than `stop_timeout` and were cancelled. A paid call among them is in "
        "doubt.",
        "`smm-rules intents list --state unknown`",
    ),
    Event("daemon.stopped", "info", ("drained",), "The daemon ended."),
    Event(
        "daemon.stuck",
        "error",
        ("jobs",),
        "A job hasn't got on for ten minutes; systemd's watchdog is not fed and will restart the daemon.",
        "Keep the log of the minutes before and report it.",
    ),
    Event(
        "intent.in_doubt",
        "error",
        ("intent", "rule", "entity", "kind", "panel"),
        "The daemon or a command died while this action was being sent. Nobody knows whether it happened; it "
        "is never sent again by itself.",
        "`smm-rules intents show ID`, look at the panel, then `smm-rules intents resolve ID …`.",
    ),
    Event(
        "rules.reloaded",
        "info",
        ("added", "removed", "changed", "restarted", "kept", "holds_ended", "asked_by"),
        "A new rule set is in force. Changed rules keep their state; rules whose condition was rewritten "
        "or that are gone lose unfinished holds.",
    ),
    Event(
        "rules.reload_failed",
        "error",
        ("problems", "kept"),
        "The rule files have faults. The last good set stays in force.",
        "Mend what `problems` names (`smm-rules check` shows it too) and reload again.",
    ),
    Event(
        "rules.warned",
        "warning",
        ("place", "warning"),
        "A rule loads but can hardly be meant so: it can never fire, fires always, or collides with another.",
        "`smm-rules check` shows the line and a way out.",
    ),
    Event(
        "rules.watch_failed",
        "warning",
        ("error",),
        "The system gives no word of changed rule files. They are looked at every few seconds instead.",
        "If the limit of inotify watches is reached: raise fs.inotify.max_user_watches. SIGHUP works always.",
    ),
    Event(
        "rules.reload_untold",
        "error",
        ("error",),
        "A reload was refused and the ledger couldn't take the message to the operator.",
        "See the event before it, then the ledger's disk.",
    ),
    Event(
        "rules.holds_ended",
        "info",
        ("rules", "holds"),
        "Rules were rewritten or removed while the daemon was down; their unfinished holds don't count.",
    ),
    Event("ledger.pruned", "info", ("rows",), "History older than `retention` was dropped; counts by table."),
    Event(
        "job.missed",
        "warning",
        ("job", "late"),
        "The ticker was late for a job: the machine was busy or asleep. What was due is done now.",
        "If it happens often, the machine is too slow for the load.",
    ),
    Event(
        "job.clock_set_back",
        "warning",
        ("by",),
        "The machine's clock was set back. Jobs go on at once; what was due by the old clock is asked about "
        "when the new one has caught up.",
        "Keep the clock by NTP, which slews it instead of setting it back.",
    ),
    Event(
        "job.overlapped",
        "info",
        ("job",),
        "A job took longer than its interval, so a tick was skipped; said once a run.",
        "If orders are looked at late: raise `requests_per_minute` if the panel allows, or the intervals.",
    ),
    Event(
        "job.raised",
        "error",
        ("job", "error", "traceback"),
        "A job ended with an error nobody expected. The others go on, and it runs again at its next tick.",
        "Report it with the traceback.",
    ),
)
