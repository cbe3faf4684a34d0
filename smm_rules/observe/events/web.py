"""Events of the status page."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event("web.serving", "info", ("address",), "The status page is served there."),
    Event(
        "web.not_served",
        "error",
        ("address", "error"),
        "The status page can't be served. The daemon goes on with its work, tells the operator once and "
        "tries again every half a minute.",
        "Do what `error` says, or take `web.listen` out of the configuration.",
    ),
    Event(
        "web.failed",
        "error",
        ("address", "error"),
        "The status page's server ended by itself. It is started anew; the daemon's work goes on.",
        "Report it with the traceback.",
    ),
    Event("web.login", "info", ("user", "client"), "Somebody logged in to the status page."),
    Event("web.logout", "info", ("user",), "Somebody logged out of the status page."),
    Event(
        "web.login_failed",
        "warning",
        ("client",),
        "A wrong name or password for the status page came from this address.",
        "If it wasn't you, see who can reach the page.",
    ),
    Event(
        "web.login_throttled",
        "warning",
        ("client",),
        "Too many wrong passwords came from this address or from all together; none is tried for a while.",
        "If it wasn't you, see who can reach the page.",
    ),
    Event("web.acted", "info", ("user", "path"), "A button of the status page did what it says."),
    Event(
        "web.refused",
        "info",
        ("user", "path", "error"),
        "What a button of the status page asked for couldn't be done, as when somebody else was faster.",
    ),
    Event(
        "web.ledger_failed",
        "error",
        ("path", "error"),
        "A page couldn't be shown because the ledger couldn't be read or written.",
        "Do what `error` says.",
    ),
    Event(
        "web.page_failed",
        "error",
        ("path", "error", "name"),
        "A page couldn't be made, a fault of the program. Whoever asked for it was told `name`.",
        "Report it with the traceback.",
    ),
)
