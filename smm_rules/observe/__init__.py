"""What the daemon lets be seen of itself: logs, counters and word to systemd."""
