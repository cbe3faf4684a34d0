"""What the daemon lets be seen of itself: logs, counters and word to systemd."""

from smm_rules.observe.configure import LogFormat, LogLevel, configure_logging
from smm_rules.observe.correlation import correlation_of, correlation_of_message
from smm_rules.observe.counters import Count, Counters
from smm_rules.observe.logs import correlated, get_logger
from smm_rules.observe.redaction import REDACTED, Redactor
from smm_rules.observe.sd_notify import Notifier
from smm_rules.observe.spans import frame, span

__all__ = [
    "REDACTED",
    "Count",
    "Counters",
    "LogFormat",
    "LogLevel",
    "Notifier",
    "Redactor",
    "configure_logging",
    "correlated",
    "correlation_of",
    "correlation_of_message",
    "frame",
    "get_logger",
    "span",
]
