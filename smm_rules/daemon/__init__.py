"""The composition root: the one place that knows APScheduler, signals and systemd."""
