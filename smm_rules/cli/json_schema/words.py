"""What an editor shows for each key, by the model it belongs to."""

from __future__ import annotations

_POLL = "How often {} at most, like 5m."

#: A description for every key of every model; a test holds that none is missing and none is left over.
WORDS: dict[str, dict[str, str]] = {
    "RuleFile": {
        "rules": "The rules of this file.",
        "tests": "Tests of the rules of this file, run by `smm-rules test`.",
    },
    "RuleSpec": {
        "name": "Letters, digits and dashes. The rule's memory is kept under it: each name is used once.",
        "description": "What the rule is for, in words.",
        "watch": "What kind of thing the rule looks at.",
        "when": "The condition, or a list of conditions that must all hold.",
        "for": "How long `when` must hold without a break before the rule fires, like 10m.",
        "until": "What ends a stretch that has fired. Without it: as soon as `when` no longer holds.",
        "remind": (
            "While it lasts, repeat what `do` tells: a time after which it is, then less and less often, or "
            "{every: 6h, factor: 2, at_most: 5}."
        ),
        "escalate": "Who else is told of what `do` notifies of, while nobody acknowledges it.",
        "do": "Steps, one after the other, when the rule fires.",
        "otherwise": "Steps for when a panel refuses an action of `do`; `{{ refusal }}` has its words.",
        "done": "Steps that tell when a stretch that has fired is over.",
        "limit": "How often the rule may fire. Needed when a step acts on a panel.",
        "spend": (
            "What its actions may cost: 20.00/day, or a list like [5.00/order, 300.00/month]. Units: order, "
            "chain, hour, day, month (UTC). What would cost more is held."
        ),
        "approve": "What waits for you: `always`, or {above: 5.00, expires: 2h}.",
        "mode": (
            "`dry_run` holds its actions, `shadow` only writes down what it would have done, beside the live "
            "rules."
        ),
        "first_seen": (
            "What about a thing that is in this state already when it is first seen. `ignore` is the default "
            "of a rule that acts on a panel, `act` of one that only tells."
        ),
        "panels": "A panel's name or a list of them. All panels when left out.",
    },
    "LimitSpec": {
        "per_order": "How often the rule fires for one order at most, ever. 3 when left out.",
        "every": "The least time between two firings for one order, like 24h. 1h when left out.",
        "per_chain": "How often it fires over an order and all its reorders. 3 when left out.",
        "per_sweep": "If more orders than this would fire in one look, it acts on none. 25 when left out.",
    },
    "ApproveSpec": {
        "above": "Actions that cost more than this wait for you; every action when left out.",
        "expires": "What waited for longer than this is denied. For ever when left out.",
    },
    "StepSpec": {
        "refill": "Ask the panel to refill the order. It takes no parameters.",
        "reorder": "Order again what the order was placed with.",
        "cancel": "Ask the panel to cancel the order. It takes no parameters.",
        "notify": "Send a message to a channel.",
        "webhook": "Post data to a webhook channel, signed.",
        "log": "Write a line to the daemon's log.",
    },
    "ReorderSpec": {
        "panel": (
            "`same`, another panel's name, or `cheapest` or `next` of those that have an equal service by "
            "the mapping (`services` of the configuration)."
        ),
        "service": "Another service's ID; the order's own, or the other panel's equal one, when left out.",
        "quantity": 'How many to order, like "{{ order.remains }}"; as many as before when left out.',
        "link": "Another link; the order's own when left out.",
        "parameters": "Other parameters of the order, such as comments, by the names that API v2 gives them.",
        "max_rate_increase": (
            "Don't order when the service is dearer by more than this than the first one was, like 10%. On "
            "another panel, too."
        ),
    },
    "NotifySpec": {
        "channel": "The name of a channel in the configuration.",
        "message": "The text. {{ order.id }} and the like are filled in.",
        "title": "A title, for channels that have one.",
        "level": "How grave it is; `info` when left out. Silences, quiet hours and inhibitions go by it.",
        "escalate": "Who else is told while nobody acknowledges it.",
    },
    "EscalateSpec": {
        "after": "How long nobody must have acknowledged it, like 30m.",
        "channel": "The name of a channel in the configuration.",
    },
    "RemindSpec": {
        "every": "The time to the first reminder, like 6h.",
        "factor": "How many times the wait before each one is, up to 8 times the first. 2 by default.",
        "at_most": "How many reminders there are. Without an end when left out.",
    },
    "WebhookSpec": {
        "channel": "The name of a webhook channel in the configuration.",
        "data": "What to post, templates filled in. All facts when left out.",
    },
    "LogSpec": {
        "message": "The text. {{ order.id }} and the like are filled in.",
        "level": "How urgent the line is.",
    },
    "RefillSpec": {},
    "CancelSpec": {},
    "Configuration": {
        "panels": "The panels to watch orders on.",
        "channels": "Where messages go, by the names that rules give.",
        "rules": "A file or directory of rules, or a list of them.",
        "ledger": (
            "What remembers everything: an SQLite file, whose directory must exist, or a PostgreSQL "
            "database, `postgresql://USER@HOST/DATABASE`."
        ),
        "ledger_password": "Where the password of the PostgreSQL database is kept.",
        "state_directory": "With a PostgreSQL database: where this machine notes how far it has come.",
        "services": "The mapping of equal services across panels; `smm-rules services match` proposes one.",
        "exchange_rates": "What money of other currencies is worth, so that prices can be compared.",
        "drop_folder": "A folder whose order lists are imported.",
        "intake": "Where orders come from beside commands and the drop folder.",
        "operator": "Who is told when an outcome is in doubt or the daemon has trouble.",
        "alerts": "What keeps alerts back: other alerts, quiet hours, maintenance.",
        "mode": (
            "`dry_run` holds every action of the rules and sends nothing to a panel; messages go out. "
            "`shadow` only writes down what the rules would have done."
        ),
        "guards": "What bounds the actions of all rules together.",
        "unknown": "What may prove that an action in doubt did happen.",
        "observation_gap": "When nobody looked for longer, a hold (`for:`) starts anew.",
        "settle_after": "How long an ended order is still looked at.",
        "retention": "How long history, delivered messages and settled actions are kept.",
        "audit_retention": "How long the record of decisions is kept.",
        "statement": "A statement of account each day.",
        "web": "The status page.",
        "tracing": "A collector of OpenTelemetry traces. None when left out.",
        "logging": "How the daemon's log is written.",
        "reload": "When rules are read again.",
        "cluster": "How workers (`smm-rules worker`) on one PostgreSQL ledger share the work.",
        "stop_timeout": "How long what is being sent may take to end at a stop.",
        "polling": "`adaptive` gives each order a pace of its own, `fixed` all of them the same.",
        "sweep_size": "How many orders one look at a panel takes at most.",
    },
    "AlertSettings": {
        "inhibit": "Alerts that keep others back while they are open.",
        "quiet_hours": "Hours in which messages to channels wait.",
        "maintenance": "Windows in which the alerts of a panel wait.",
        "outages": "Whether alerts of a panel's orders and refills wait while the panel can't be read.",
    },
    "InhibitSettings": {
        "if": "The alerts that keep others back while they are open.",
        "silences": "The alerts that wait meanwhile.",
        "equal": "Labels in which both must agree; `panel` when left out.",
    },
    "AlertMatcher": {
        "rule": "The rule's name; `*` stands for any text.",
        "panel": "The panel's name; `*` stands for any text.",
        "kind": "What the rule watches.",
        "entity": "The ID of the order, refill or service; `*` stands for any text.",
        "level": "The level of the message.",
    },
    "QuietHours": {
        "channels": "A channel's name or a list of them. All channels when left out.",
        "days": "The days on which they begin, like mon-fri or [sat, sun]. Every day when left out.",
        "from": 'When they begin, like "22:00".',
        "to": 'When they end, like "07:00"; on the next day where that is earlier.',
        "time_zone": "The zone of these times, like Europe/Berlin. UTC when left out.",
        "except_level": "Messages of this level and graver ones don't wait; `error` when left out.",
    },
    "Maintenance": {
        "panel": "The panel whose alerts wait. All panels when left out.",
        "schedule": 'When it begins: a cron expression like "0 3 * * sun".',
        "for": "How long it lasts, like 2h.",
        "time_zone": "The zone of the schedule, like Europe/Berlin. UTC when left out.",
    },
    "GroupSettings": {
        "by": "Labels: alerts that agree in them go out together. `[rule, panel]` when left out.",
        "wait": "How long the first of a group waits for others. 30s when left out.",
        "interval": "The least time between two messages of a group. 5m when left out.",
    },
    "ClusterSettings": {
        "lease": "How long a worker that says nothing counts as alive. Then its actions are in doubt.",
        "looks": "How many looks at panels one worker takes at once.",
        "actions": "How many actions and other jobs one worker does at once.",
        "slice_size": "How many due orders one look of a worker takes.",
        "slices": "How many such looks there are at once for one panel, over all workers.",
    },
    "ReloadSettings": {
        "watch": "Read rules again when their files change; SIGHUP does it in any case.",
    },
    "PanelSettings": {
        "name": "Letters, digits and dashes. Orders are kept under it, so don't rename it.",
        "url": "The address of the panel's API v2.",
        "key": "Where the API key is kept, never the key itself.",
        "requests_per_minute": "The panel is never asked more often.",
        "connections": "Requests under way at once.",
        "timeout": "How long a whole answer may take.",
        "poll": "How often each kind of thing is looked at.",
        "guards": "What bounds actions on this panel.",
    },
    "ExchangeRateSettings": {
        "base": "The currency that all are worth so many of, like USD.",
        "as_of": "The day the rates are of, like 2026-11-20 (UTC).",
        "max_age": "For how long they count from that day on.",
        "rates": "How many of the base one unit of each currency is worth: {EUR: 1.08}.",
    },
    "MappingSpec": {
        "services": "Groups of services that are the same thing, and what is proposed to be one.",
    },
    "EntrySpec": {
        "name": "The group's name: letters, digits and dashes.",
        "joins": "The name of a confirmed group that these services belong to, too.",
        "state": (
            "Your word on it: only what is `confirmed` is used, and what is `refused` is not proposed again."
        ),
        "services": "Each panel's service, in the order of `next`, like {main: 12, second: 345}.",
    },
    "GuardSettings": {
        "spend": "What all actions together may cost, by currency: 50.00/day, or a list.",
        "actions": "How many actions may be sent: 100/hour, or a list. Units: hour, day, month (UTC).",
        "share_of_orders": "On which share of a panel's orders one rule may act in a day; 5 at least.",
        "max_rate_increase": "For a reorder that states none: how much dearer its service may have become.",
        "breaker": "When actions are stopped because too many went wrong.",
    },
    "PanelGuards": {
        "spend": "What actions on this panel may cost: 50.00/day, or a list.",
        "actions": "How many actions may be sent to this panel: 100/hour, or a list.",
        "keep_balance": "What must be left of the balance.",
        "share_of_orders": "On which share of its orders one rule may act in a day; 5 at least.",
        "breaker": "When actions on this panel are stopped, other than on all panels.",
    },
    "BreakerSettings": {
        "errors": "The share of actions in doubt or not sent that opens it.",
        "refused": "The share of refused actions that opens it; none when left out.",
        "of": "How many of the last actions are looked at.",
        "pause": "How long a panel's breaker stays open at least.",
    },
    "UnknownSettings": {
        "prove_by": (
            "`balance`: it fell by just what the action costs, and nothing else was bought. `status`: the "
            "order that was to be canceled is."
        ),
    },
    "StatementSettings": {
        "channel": "The channel it is sent to.",
        "at": "The time of day it is sent; it is about the day before.",
        "time_zone": "The zone of that time, and of the day, like Europe/Berlin.",
    },
    "WebSettings": {
        "listen": "Where the daemon serves it: 127.0.0.1:8787 or unix:web.sock. Not at all when left out.",
        "base_url": "The address that people reach it under, for links in messages.",
        "login": "Who may press its buttons. It has none when left out.",
        "metrics_token": "What lets other machines read /metrics.",
    },
    "TracingSettings": {
        "endpoint": "Where it takes OTLP over HTTP: http://127.0.0.1:4318/v1/traces.",
        "headers": "Headers that are sent along, such as a token's: by name, where each is kept.",
        "sample": "The share of traces that are kept, from 0 to 1. All when left out.",
        "service": "The name of the service in the traces.",
    },
    "IntakeSettings": {
        "http": "A local HTTP interface by which programs have orders watched or placed.",
        "sql": "Databases whose orders are watched, each read again and again.",
    },
    "SqlSourceSettings": {
        "name": "Under it is kept how far it was read, so keep it.",
        "url": "Where it is, without a password: postgresql+psycopg://, mysql+pymysql:// or sqlite:///PATH.",
        "password": "Where the account's password is kept.",
        "query": "SELECT … WHERE updated_at > :since ORDER BY updated_at",
        "watermark": "The column by which it is read on: a time or a whole number that grows.",
        "every": "How often it is read. 5m when left out.",
        "columns": "Which column each value of an order is, like {order: external_id, panel: provider}.",
        "ignore": "Columns to pass over.",
        "panel": "The panel of orders whose row names none.",
        "time_zone": "The zone of times that are written without one, like Europe/Berlin.",
        "start": "Where the first read begins: a time or a whole number. At the beginning when left out.",
        "overlap": "How far back is read again each time, for rows committed late: 10m, or 1000 for numbers.",
        "timeout": "How long the database may take for an answer. 1m when left out.",
    },
    "HttpIntakeSettings": {
        "listen": "Where it is served: unix:intake.sock or 127.0.0.1:8099.",
        "base_url": "The https address that a proxy in front of it has.",
        "tokens": "The programs that may use it.",
        "approve": "Purchases that wait for the operator: `always`, or those dearer than `above`.",
        "most_orders": "How many orders one request may hand over.",
        "largest_body": "How many bytes one request may have.",
    },
    "TokenSettings": {
        "name": "The program's name. Its idempotency keys belong to it, so keep it when the token changes.",
        "token": "Where its token is kept, 32 characters at least.",
        "may": "What it may do: track, place, read, or a list of them.",
    },
    "ApprovalSettings": {
        "above": "The price above which a purchase waits.",
        "expires": "What waited for so long is denied.",
    },
    "LoginSettings": {
        "user": "The name to log in with.",
        "password_hash": "What `smm-rules web password` writes, or a secret that holds it.",
        "needed_for": "`buttons`: whoever reaches the page may read it.",
    },
    "PollSettings": {
        "orders": _POLL.format("each order is looked at"),
        "refills": _POLL.format("each refill is looked at"),
        "balance": _POLL.format("the balance is read"),
        "catalogue": _POLL.format("the services are read"),
        "fastest": "`polling: adaptive`: no order is asked about more often: a fifth of `orders` by default.",
        "slowest": "With `polling: adaptive` none is looked at more rarely; 12 times `orders` by default.",
    },
    "SecretReference": {
        "env": "The environment variable that holds it.",
        "credential": "The systemd credential that holds it.",
        "file": "The file that holds it, readable by the daemon's user alone (mode 0600).",
    },
    "ChannelSettings": {
        "apprise": "One address of Apprise or a list of them, each a secret's place or written out.",
        "webhook": "A signed HTTP POST.",
        "email": "Mail by SMTP.",
        "log": "Lines of the daemon's own log.",
        "group": "Put the messages of alerts together: which, and for how long.",
        "rate": "How many messages of alerts it is given at most, like 20/1h; the rest comes as one.",
    },
    "WebhookSettings": {
        "url": "An https address, or an http one on this machine.",
        "secret": "What requests are signed with.",
        "allow_private": "Whether the url may lead into a private network.",
    },
    "EmailSettings": {
        "host": "The mail server.",
        "port": "465 for tls, 587 for starttls and 25 for none, unless given.",
        "security": "How the connection is protected. `none` only to this machine.",
        "username": "The account, if the server asks for one.",
        "password": "Where the account's password is kept.",
        "from": "The sender's address.",
        "to": "An address or a list of them.",
    },
    "LogSettings": {},
    "LoggingSettings": {
        "format": "`auto`: by whether it is a terminal.",
        "level": "The least urgent lines that are written.",
    },
    "OperatorSettings": {"channel": "The name of a channel."},
}
