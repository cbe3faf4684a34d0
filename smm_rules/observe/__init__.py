"""What the daemon lets be seen of itself: logs, counters and word to systemd."""

from smm_rules.observe.logs import correlated, get_logger

__all__ = ["correlated", "get_logger"]
