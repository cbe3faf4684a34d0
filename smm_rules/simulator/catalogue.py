"""What the panel sells: every service type there is, and several Default services to choose between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum


class ServiceType(StrEnum):
    """The service types of API v2, as catalogues spell them."""

    DEFAULT = "Default"
    PACKAGE = "Package"
    CUSTOM_COMMENTS = "Custom Comments"
    CUSTOM_COMMENTS_PACKAGE = "Custom Comments Package"
    MENTIONS = "Mentions"
    MENTIONS_WITH_HASHTAGS = "Mentions with Hashtags"
    MENTIONS_CUSTOM_LIST = "Mentions Custom List"
    MENTIONS_HASHTAG = "Mentions Hashtag"
    MENTIONS_USER_FOLLOWERS = "Mentions User Followers"
    MENTIONS_MEDIA_LIKERS = "Mentions Media Likers"
    COMMENT_LIKES = "Comment Likes"
    COMMENT_REPLIES = "Comment Replies"
    POLL = "Poll"
    INVITES_FROM_GROUPS = "Invites from Groups"
    SEO = "SEO"
    WEB_TRAFFIC = "Web Traffic"
    SUBSCRIPTIONS = "Subscriptions"


class AfterPartial(StrEnum):
    """What a service does about the undelivered rest of a Partial order."""

    #: The rest is paid back, and a refill is refused: what most panels do.
    REFUND = "refund"
    #: The rest is owed: nothing is paid back and a refill is accepted.
    REFILL = "refill"


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the catalogue. `rate` buys 1000, or the whole package for the package types.

    `id` is the panel's number for it; `category` and `name` are free text.
    """

    id: int
    name: str
    type: str = ServiceType.DEFAULT
    category: str = "Instagram"
    rate: Decimal = Decimal("1.00")
    min: int = 10
    max: int = 10_000
    refill: bool = False
    cancel: bool = False
    dripfeed: bool = False
    after_partial: AfterPartial = AfterPartial.REFUND


class Catalogue:
    """The services by ID, in the order they are listed. Rows are replaced, never changed in place."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        self._services = {service.id: service for service in services}
        if len(self._services) != len(services):
            raise ValueError("two services of a catalogue have the same ID")

    def __iter__(self) -> Iterator[Service]:
        return iter(tuple(self._services.values()))

    def __len__(self) -> int:
        return len(self._services)

    def get(self, service: int) -> Service | None:
        """The row of `service`, None when it isn't sold (any more)."""
        return self._services.get(service)

    def put(self, service: Service) -> None:
        """List `service`, in the place of the row with its ID if there is one."""
        self._services[service.id] = service

    def change(self, service: int, **fields: object) -> Service:
        """Change `fields` of a row; `KeyError` when it isn't listed, `TypeError` for an unknown field."""
        changed = replace(self._services[service], **fields)  # type: ignore[arg-type]  # checked by replace
        self._services[service] = changed
        return changed

    def remove(self, service: int) -> None:
        """Stop selling a service; `KeyError` when it isn't listed. Orders of it go on."""
        del self._services[service]


_DEFAULTS = (
    Service(
        1,
        "Followers [30 days refill]",
        rate=Decimal("0.90"),
        min=50,
        max=10_000,
        refill=True,
        cancel=True,
        dripfeed=True,
    ),
    Service(2, "Likes [no refill]", rate=Decimal("0.35"), min=10, max=50_000, cancel=True, dripfeed=True),
    Service(3, "Views [instant]", category="YouTube", rate=Decimal("0.02"), min=100, max=1_000_000),
    Service(
        4,
        "Followers [premium, lifetime refill]",
        rate=Decimal("4.50"),
        min=100,
        max=20_000,
        refill=True,
        cancel=True,
        after_partial=AfterPartial.REFILL,
    ),
    Service(5, "Page likes [refill, no cancel]", category="Facebook", rate=Decimal("2.175"), refill=True),
    Service(6, "Members", "Telegram Boosts", "Telegram", Decimal("6"), 1, 500),
)

#: For each type: rate, min and max of its row in the bundled catalogue, in the order of the rows.
_TYPES: tuple[tuple[ServiceType, str, int, int], ...] = (
    (ServiceType.PACKAGE, "3.50", 1, 1),
    (ServiceType.CUSTOM_COMMENTS, "8", 1, 1_500),
    (ServiceType.CUSTOM_COMMENTS_PACKAGE, "2.40", 1, 1),
    (ServiceType.MENTIONS, "5.10", 10, 5_000),
    (ServiceType.MENTIONS_WITH_HASHTAGS, "5.60", 10, 5_000),
    (ServiceType.MENTIONS_CUSTOM_LIST, "7", 1, 5_000),
    (ServiceType.MENTIONS_HASHTAG, "4.95", 10, 5_000),
    (ServiceType.MENTIONS_USER_FOLLOWERS, "4.20", 10, 5_000),
    (ServiceType.MENTIONS_MEDIA_LIKERS, "4.40", 10, 5_000),
    (ServiceType.COMMENT_LIKES, "1.15", 10, 5_000),
    (ServiceType.COMMENT_REPLIES, "9", 1, 500),
    (ServiceType.POLL, "0.80", 10, 20_000),
    (ServiceType.INVITES_FROM_GROUPS, "6.30", 10, 2_000),
    (ServiceType.SEO, "12", 100, 10_000),
    (ServiceType.WEB_TRAFFIC, "0.45", 100, 100_000),
    (ServiceType.SUBSCRIPTIONS, "1.20", 10, 5_000),
)


def default_services() -> tuple[Service, ...]:
    """The bundled catalogue: Default services 1 to 5, 6 of a type nobody knows, from 101 on every type."""
    typed = tuple(
        Service(
            101 + index,
            f"{kind} [sample]",
            kind,
            "Every type",
            Decimal(rate),
            least,
            most,
            refill=index % 2 == 0,
            cancel=index % 3 == 0 or kind is ServiceType.SUBSCRIPTIONS,
            dripfeed=kind is ServiceType.WEB_TRAFFIC,
        )
        for index, (kind, rate, least, most) in enumerate(_TYPES)
    )
    return _DEFAULTS + typed
