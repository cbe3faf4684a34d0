"""The logger every module uses, and the fields a piece of work carries along."""

from __future__ import annotations

import logging

import structlog
from structlog.contextvars import bound_contextvars as correlated

__all__ = ["correlated", "get_logger"]


def get_logger(name: str = "smm_rules") -> structlog.stdlib.BoundLogger:
    """A logger of events: `get_logger(__name__).info("order.tracked", panel=…, order_id=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _prepare() -> None:
    """Send events to the standard library's loggers, silent until `configure_logging` says where to.

    structlog's own default prints to standard output, which belongs to the commands' answers.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("smm_rules").addHandler(logging.NullHandler())


_prepare()
