"""What programs send and get, as models: they check what comes in, and make the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from smm_rules.intake.columns import LABEL, ORDER, PANEL, PARAMETERS, PLACED_AT, RATE, SERVICE

_LARGEST = 10**18 - 1
#: Money and rates are text, so that no program on the way makes a binary fraction of them.
MoneyText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$")]

#: One line, without control characters but the tab.
_LINE = r"^[^\x00-\x08\x0a-\x1f\x7f-\x9f]*$"
#: The same, and nothing else that parts lines: each line is counted, and paid for.
_ENTRY = r"^[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*$"
Text = Annotated[str, StringConstraints(max_length=2_048, pattern=_LINE)]
Label = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
#: ISO 8601 with its zone.
Instant = Annotated[
    str, StringConstraints(max_length=64), WithJsonSchema({"type": "string", "format": "date-time"})
]
#: A text with one entry a line, or a list of entries.
Lines = (
    Annotated[
        str, StringConstraints(max_length=1_000_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")
    ]
    | list[Annotated[str, StringConstraints(max_length=10_000, pattern=_ENTRY)]]
)
#: An ID as panels write them. A number counts as its digits.
Identifier = (
    Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
    | Annotated[int, Field(ge=0, le=_LARGEST)]
)
Count = (
    Annotated[str, StringConstraints(max_length=12, pattern=r"^0*[1-9][0-9]*$")]
    | Annotated[int, Field(ge=1, lt=10**12)]
)
Value = Text | Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Body(BaseModel):
    """What comes in: nothing unknown, nothing converted in silence. `null` is the same as left out."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class _Parameters(_Body):
    """Everything an `add` takes on any type of service, by the API's own names."""

    link: Text | None = Field(None, description="What is ordered for.")
    quantity: Count | None = Field(None, description="How many, a whole number above 0.")
    runs: Value | None = Field(None, description="Drip-feed: how many runs.")
    interval: Value | None = Field(None, description="Drip-feed: minutes between two runs.")
    comments: Lines | None = Field(None, description="Comments, one a line or as a list.")
    usernames: Lines | None = Field(None, description="User names, one a line or as a list.")
    hashtags: Lines | None = Field(None, description="Hashtags, one a line or as a list.")
    hashtag: Value | None = None
    username: Value | None = None
    media: Value | None = None
    answer_number: Value | None = None
    groups: Lines | None = Field(None, description="Groups, one a line or as a list.")
    keywords: Lines | None = Field(None, description="Keywords, one a line or as a list.")
    country: Value | None = None
    device: Value | None = None
    type_of_traffic: Value | None = None
    google_keyword: Value | None = None
    referring_url: Value | None = None
    min: Value | None = None
    max: Value | None = None
    delay: Value | None = None
    posts: Value | None = None
    old_posts: Value | None = None
    expiry: Value | None = None
    parameters: dict[ParameterName, Value] | None = Field(
        None, description="Parameters that only your panel knows, by name."
    )


class KnownOrder(_Parameters):
    """An order that was placed elsewhere, to be watched. Only its ID is needed."""

    order: Identifier = Field(description="The ID that the panel shows.")
    panel: Text | None = Field(None, description="The panel's name here. Needed where there are several.")
    service: Identifier | None = Field(None, description="The service's ID in the panel's catalogue.")
    placed_at: Instant | None = Field(
        None,
        description="When it was placed, in ISO 8601 with its zone.",
        examples=["2026-03-01T14:30:00+03:00"],
    )
    label: Label | None = Field(None, description="Your own text for it.")
    rate: MoneyText | None = Field(None, description="The price of 1000 that you paid.", examples=["0.90"])


class Purchase(_Parameters):
    """An order to be placed, with money."""

    service: Identifier = Field(description="The service's ID in the panel's catalogue.")
    panel: Text | None = Field(None, description="The panel's name here. Needed where there are several.")
    label: Label | None = Field(None, description="Your own text for it.")
    asked_at: Instant | None = Field(
        None,
        description=(
            "When your program first asked for this, in ISO 8601 with its zone. After a ledger was restored "
            "from a backup, what was asked for before is held instead of bought again; for a day also what "
            "doesn't say."
        ),
        examples=["2026-03-01T14:30:00+03:00"],
    )


#: Keys of a body that are no parameters of `add`, by what a column of a file calls them.
NOT_PARAMETERS = frozenset({"parameters", "asked_at"})
OWN_NAMES = frozenset({ORDER, SERVICE, PLACED_AT, LABEL, PANEL, RATE}) | PARAMETERS


class _Answer(BaseModel):
    """What goes out. Instants are UTC, money is text."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FaultAnswer(_Answer):
    pointer: str = Field(description="The place in the body, as a JSON Pointer; empty for the whole of it.")
    detail: str
    to_do: str = Field(description="What to do about it; may be empty.")


class ProblemAnswer(_Answer):
    """RFC 9457. `type` tells problems apart."""

    type: str
    title: str
    status: int
    detail: str
    to_do: str
    errors: list[FaultAnswer]


class RowAnswer(_Answer):
    """What became of one order handed over."""

    row: int = Field(description="Its place in what was sent, from 0.")
    order: str | None = Field(description="PANEL/ID; null when it was refused.")
    result: Literal["tracked", "known", "refused"] = Field(
        description="`known`: it was watched already and is left as it was."
    )
    errors: list[FaultAnswer]


class TrackedAnswer(_Answer):
    """What became of the orders handed over."""

    tracked: int
    known: int
    refused: int
    orders: list[RowAnswer]


class IntentAnswer(_Answer):
    """An action as the ledger has it."""

    intent: int
    state: Literal["planned", "held", "sending", "confirmed", "rejected", "not_sent", "unknown", "denied"] = (
        Field(
            description=(
                "`planned`: it will be sent. `held`: it waits for the operator. `confirmed`: it is done. "
                "`rejected`, `not_sent`, `denied`: it was not done and won't be; only then may you ask for "
                "the same anew, under a new key. `unknown`: it was sent, and the operator finds out what "
                "became of it."
            )
        )
    )
    final: bool = Field(description="Whether the state changes no more.")
    kind: str
    panel: str
    parameters: dict[str, str]
    label: str
    reason: str = Field(description="Why it is held, or wasn't done; a word. May be empty.")
    message: str = Field(description="The same as a sentence. May be empty.")
    order: str | None = Field(description="The ID of the order that was placed, once it is confirmed.")
    cost: str | None = Field(description="What it is expected to cost; null where that isn't known.")
    currency: str | None
    planned_at: datetime
    settled_at: datetime | None


class OrderAnswer(_Answer):
    """A watched order as it was last read."""

    order: str
    panel: str
    service: str | None
    parameters: dict[str, str]
    label: str
    placed_at: datetime | None
    tracked_at: datetime
    watched: bool = Field(description="False when it was forgotten: it is read no more.")
    status: str | None = Field(description="Null until it was read.")
    remains: int | None
    start_count: int | None
    charge: str | None
    currency: str | None
    error: str = Field(description="What the panel says in place of a status. May be empty.")
    refills: int
    replaces: str | None = Field(description="PANEL/ID of the order that this one is a reorder of.")
    seen_at: datetime | None


class HealthAnswer(_Answer):
    status: Literal["ok", "stuck"]
    stuck: list[str]
