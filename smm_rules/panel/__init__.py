"""The client for one panel speaking API v2: wire text in, typed facts out."""

from smm_rules.panel.answers import (
    Accepted,
    Balance,
    OrderState,
    OrderStates,
    RefillState,
    RefillStates,
    Refused,
    Service,
)
from smm_rules.panel.client import CallReport, PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import (
    Ambiguous,
    NotSent,
    PanelError,
    RateLimited,
    RefusalReason,
    Rejected,
    Unreadable,
)
from smm_rules.panel.retrying import RetryPolicy

__all__ = [
    "Accepted",
    "Ambiguous",
    "Balance",
    "CallReport",
    "Endpoint",
    "NotSent",
    "OrderState",
    "OrderStates",
    "PanelClient",
    "PanelError",
    "RateLimited",
    "RefillState",
    "RefillStates",
    "RefusalReason",
    "Refused",
    "Rejected",
    "RetryPolicy",
    "Service",
    "Unreadable",
]
