"""smm-rules: a daemon that watches orders on panels speaking API v2 and acts on them by rules."""

__version__ = "0.1.0"
