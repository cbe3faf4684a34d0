"""How far was read: handed back to the database in its own writing, and never later than it came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.intake.lines import SourceRefused, Unacceptable
from smm_rules.intake.sql.watermark import Watermark, check_follows, load, watermark_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2100-01-01"))
SPANS = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
WRITINGS = st.tuples(
    st.sampled_from(" T"), st.integers(0, 6), st.sampled_from(["", "Z", "+00:00", "+03:00", "-0530", "+02"])
)


def text(moment: datetime, writing: tuple[str, int, str]) -> str:
    separator, digits, zone = writing
    fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
    return f"{moment:%Y-%m-%d}{separator}{moment:%H:%M:%S}{fraction}{zone}"


@given(MOMENTS, WRITINGS, SPANS)
def test_a_time_as_text_is_handed_back_in_its_own_writing(
    moment: datetime, writing: tuple[str, int, str], span: timedelta
) -> None:
    """So that letter by letter it stands before what was read: a database compares texts like that."""
    written = text(moment, writing)
    back = watermark_of("at", written).back(span)
    assert back == text(datetime.fromisoformat(text(moment, (writing[0], writing[1], ""))) - span, writing)
    assert isinstance(back, str)
    assert back < written


@given(
    st.one_of(
        st.integers(-(2**63), 2**63),
        MOMENTS,
        MOMENTS.map(lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=3)))),
        st.tuples(MOMENTS, WRITINGS).map(lambda both: text(*both)),
    )
)
def test_it_is_kept_as_it_came(value: datetime | int | str) -> None:
    mark = watermark_of("at", value)
    assert load(mark.dump()) == mark


def test_nothing_is_kept_of_a_source_that_was_never_read() -> None:
    assert load("") is None


@pytest.mark.parametrize(
    ("mark", "overlap", "since"),
    [
        (Watermark("id", 5000), 1000, 4000),
        (Watermark("id", 5000), timedelta(minutes=10), 5000),
        (Watermark("at", datetime(1, 1, 1, 0, 5)), timedelta(minutes=10), datetime(1, 1, 1)),  # noqa: DTZ001
        (Watermark("at", NOW), timedelta(minutes=10), datetime(2026, 3, 1, 11, 50, tzinfo=UTC)),
    ],
)
def test_from_where_it_is_read_again(mark: Watermark, overlap: timedelta | int, since: object) -> None:
    assert mark.back(overlap) == since


@pytest.mark.parametrize(
    ("written", "since"),
    [
        ("2026-10-25 02:55:00", "2026-10-25 01:45:00"),  # clocks go back from 03:00 to 02:00
        ("2026-10-25 05:30:00", "2026-10-25 04:20:00"),
        ("2026-10-25 09:00:00", "2026-10-25 08:50:00"),
        ("2026-03-29 02:55:00", "2026-03-29 02:45:00"),  # and forward in spring
        ("2026-10-25 02:55:00Z", "2026-10-25 02:45:00Z"),
    ],
)
def test_the_hour_that_comes_twice_is_read_twice(written: str, since: str) -> None:
    """A shop that writes its own time stamps the rows of that hour before those it has written already."""
    mark = Watermark("at", written)
    assert mark.back(timedelta(minutes=10), ZoneInfo("Europe/Berlin")) == since
    assert mark.back(timedelta(minutes=10), ZoneInfo("UTC")) == mark.back(timedelta(minutes=10))


@pytest.mark.parametrize("found", [None, True, 1.5, Decimal("1.5"), "yesterday", "2026-03-01", b"5", "12"])
def test_what_can_t_be_a_watermark_is_told(found: object) -> None:
    with pytest.raises(Unacceptable, match="watermark"):
        watermark_of("at", found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Watermark("id", 2), Watermark("id", 1)),
        (Watermark("at", "2026-03-01 10:00:01"), Watermark("at", "2026-03-01 10:00:00")),
        (Watermark("at", "2026-03-01 10:00:01"), Watermark("at", 5)),
        (Watermark("at", NOW), Watermark("at", datetime(2027, 1, 1))),  # noqa: DTZ001
    ],
)
def test_rows_that_don_t_come_in_order_end_the_read(before: Watermark, after: Watermark) -> None:
    with pytest.raises(SourceRefused, match=r"row 7: .* rows don't come in its order"):
        check_follows(before, after, 7)


@pytest.mark.parametrize(
    ("value", "ahead"),
    [
        (10**12, False),
        ("2026-03-02 11:00:00", False),
        ("2026-03-02 13:00:00", True),
        (datetime(2026, 3, 2, 13, 0), True),  # noqa: DTZ001
        (NOW + timedelta(hours=23), False),
    ],
)
def test_a_time_that_has_not_come_yet(value: datetime | int | str, ahead: bool) -> None:
    assert Watermark("at", value).is_ahead(NOW) is ahead
