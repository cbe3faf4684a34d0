"""Events of messages and channels."""

from __future__ import annotations

from smm_rules.observe.event import Event

#: What ties a message to the rule's episode, or the action, that it tells of.
_STORY = ("correlation", "intent")

EVENTS: tuple[Event, ...] = (
    Event(
        "rule.log",
        "info",
        ("message", "title", "dedup_key"),
        "The text of a rule's `log` step, or a message of the daemon to its operator when no operator "
        "channel is configured. The level is the one the step states.",
        "What the rule's author meant it for.",
        optional=_STORY,
    ),
    Event(
        "message.delivered",
        "debug",
        ("channel", "message_id"),
        "A queued message was handed to its channel, which took it.",
        optional=_STORY,
    ),
    Event(
        "message.delivery_failed",
        "warning",
        ("channel", "message_id", "attempts", "retry_at", "error"),
        "A channel didn't take a message. It is tried again at `retry_at`, under the same key.",
        "Nothing for a passing fault. If it keeps coming, check the channel's settings and its receiver.",
        optional=_STORY,
    ),
    Event(
        "alerts.ended_unwatched",
        "info",
        ("rule", "alerts", "reason"),
        "Alerts that went on are over: their rule was removed or no longer watches what they tell of. Who "
        "had been told of them is told so.",
    ),
    Event(
        "alerts.reopened",
        "info",
        ("alerts",),
        "A rule that was removed is in force again and its alerts go on where they were. Nobody is told.",
    ),
    Event(
        "message.plot_failed",
        "error",
        ("channel", "error"),
        "The plot of a balance that goes with a mail couldn't be drawn; the mail goes out without it.",
        "Nothing while the ledger can't be read. If it keeps coming, report it with the traceback.",
    ),
    Event(
        "message.deferred",
        "debug",
        ("channel", "message_id", "reason"),
        "A message was not tried in this run because its channel was failing or busy; its turn comes first "
        "in the next one.",
        optional=_STORY,
    ),
    Event(
        "message.kept_back",
        "info",
        ("channel", "message_id", "alert", "reason", "until"),
        "A message of an alert isn't sent yet, for the reason given; it is judged again at `until`. Told "
        "when the reason is another than before.",
        "Nothing. `smm-rules alerts show` says what became of it.",
        optional=_STORY,
    ),
    Event(
        "message.suppressed",
        "info",
        ("channel", "message_id", "alert", "reason"),
        "A message of an alert never goes out: the alert was acknowledged, or was over before anybody was "
        "told of it. It stays listed with its reason.",
        "Nothing. `smm-rules outbox list --state suppressed` lists them.",
        optional=_STORY,
    ),
    Event(
        "silence.over",
        "info",
        ("silence", "matcher"),
        "A silence has ended by itself. What it kept back and still goes on is told now.",
    ),
    Event(
        "message.dead",
        "error",
        ("channel", "message_id", "title", "attempts", "error"),
        "A message was given up: the receiver refused it for good, or twelve attempts failed. It is kept "
        "in the ledger.",
        "Read the error, mend the channel, and pass on by hand what the message said.",
        optional=_STORY,
    ),
    Event(
        "channel.raised",
        "error",
        ("channel", "message_id"),
        "A channel failed in a way nobody foresaw; the message is tried again.",
        "Report it with the traceback.",
        optional=_STORY,
    ),
    Event(
        "channel.recipient_refused",
        "warning",
        ("channel", "recipient"),
        "The mail server took a mail but refused one of its recipients.",
        "Correct the address in the channel's `to`.",
    ),
    Event(
        "channel.message_logged",
        "info",
        ("channel", "title", "message", "message_level", "dedup_key"),
        "A message to a channel of type log.",
        "What the message asks for.",
        optional=_STORY,
    ),
)
