"""A panel that attacks: what it answers takes bounded memory and time, and is never guessed at."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel import wire
from smm_rules.panel.answers import Accepted, Balance, OrderState, Refused
from smm_rules.panel.client import LARGEST_ANSWER, LARGEST_CATALOGUE, PanelClient
from smm_rules.panel.decoding import GARBLED, MOST_PARTS, decode
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import Ambiguous, PanelError, Rejected, Unreadable
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.retrying import RetryPolicy
from tests.panel import fault_server as faults
from tests.panel.fault_server import Fault, FaultServer, Turn

MIB = 1024 * 1024
KEY = "canary-0123456789abcdef"


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


@pytest.fixture
async def client(server: FaultServer) -> AsyncIterator[PanelClient]:
    endpoint = Endpoint("main", server.url, KEY, 1_000_000, timeout=timedelta(seconds=60))
    with stamina.set_testing(True, attempts=1):
        async with PanelClient(endpoint, retries=RetryPolicy(attempts=1)) as opened:
            yield opened


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most memory that Python objects have taken since the test began, in bytes."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield lambda: tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()


# -- memory -------------------------------------------------------------------------------------------------
async def ends(server: FaultServer, client: PanelClient, fault: Fault) -> Unreadable:
    server.script(fault)
    with pytest.raises(Unreadable) as raised:
        await client.services()
    return raised.value


async def test_a_body_of_100_mb_is_left_where_the_bound_is(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    assert (
        str(await ends(server, client, faults.huge(100 * MIB)))
        == f"an answer of more than {LARGEST_CATALOGUE} bytes"
    )
    # A bytearray grows by an eighth: for a moment the old one and the new one are there.
    assert peak() < 3 * LARGEST_CATALOGUE


async def test_a_gzip_bomb_unpacks_no_further_than_the_bound(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    packing = zlib.compressobj(wbits=31)
    bomb = b"".join(packing.compress(bytes(MIB)) for _ in range(100)) + packing.flush()
    assert "an answer of more than" in str(
        await ends(server, client, faults.raw(bomb, headers={"Content-Encoding": "gzip"}))
    )
    assert peak() < 3 * LARGEST_CATALOGUE


def packed_stream(first: bytes, block: bytes, blocks: int, written: list[int]) -> Fault:
    """A packed answer that goes on with `block` for ever, or nearly so."""

    async def fault(turn: Turn) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        turn.writer.write(head + first)
        for _ in range(blocks):
            turn.writer.write(block)
            await turn.writer.drain()
            written.append(len(block))

    return fault


async def test_what_follows_the_end_of_a_packed_answer_is_not_kept(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    written: list[int] = []
    whole = gzip.compress(b'{"balance": "5.5", "currency": "USD"}')
    server.script(packed_stream(whole, bytes(MIB), 100, written))
    assert await client.balance() == Balance(Decimal("5.5"), "USD")
    assert peak() < 10 * MIB
    assert len(written) < 100


async def test_packed_data_that_unpacks_to_nothing_ends_too(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    header = bytes.fromhex("1f8b0800000000000003")
    nothing = bytes.fromhex("000000ffff") * 10_000  # stored blocks of no length
    server.script(packed_stream(header, nothing, 2_000, []))
    with pytest.raises(Unreadable, match=f"a packed answer of more than {LARGEST_ANSWER} bytes"):
        await client.balance()
    assert peak() < 10 * MIB


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * (5 * MIB) + b"0]",
        b"[" + b'{"":0},' * (2 * MIB) + b"0]",
        b'[{"service":1}' + b',{"service":1}' * MIB + b"]",
        b"{" + b",".join(b'"%d":0' % number for number in range(MIB + 1)) + b"}",
    ],
    ids=["lists", "objects", "rows", "names"],
)
async def test_many_small_values_are_not_made_into_objects(
    server: FaultServer, client: PanelClient, peak: Callable[[], int], body: bytes
) -> None:
    """Sixteen megabytes of them would take more than a gigabyte."""
    failure = await ends(server, client, faults.raw(body))
    assert str(failure).endswith(f"an answer of more than {MOST_PARTS} parts")
    assert peak() < 6 * LARGEST_CATALOGUE


async def test_10_000_services_with_huge_names_are_read_with_their_names_cut(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    rows = [{"service": number, "name": "🧨" * 300, "rate": "1"} for number in range(1, 10_001)]
    server.script(faults.raw(str(rows).replace("'", '"').encode()))
    services = await client.services()
    assert len(services) == 10_000
    assert max(len(service.name) for service in services) <= 500
    assert peak() < 200 * MIB


def test_a_catalogue_beyond_all_measure_is_refused() -> None:
    rows = [{"service": number} for number in range(1, wire.MOST_SERVICES + 2)]
    with pytest.raises(Unreadable, match="at most 50000 are read"):
        wire.read_catalogue(rows)


def test_one_row_beyond_reading_costs_only_itself() -> None:
    body = '[{"service": 1, "rate": 1.' + "9" * MIB + '}, {"service": 2, "rate": "2"}]'
    catalogue = wire.read_catalogue(decode(body))
    assert [(service.id, service.rate) for service in catalogue.services] == [("1", None), ("2", Decimal(2))]


# -- time ---------------------------------------------------------------------------------------------------
def in_pieces(head: bytes, piece: bytes) -> Fault:
    """A head, then a piece now and then, for ever."""

    async def fault(turn: Turn) -> None:
        turn.writer.write(head)
        while not turn.over.is_set():
            turn.writer.write(piece)
            await turn.writer.drain()
            await asyncio.sleep(0.01)

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        in_pieces(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b" "),
        in_pieces(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        in_pieces(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        in_pieces(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    ],
    ids=["body", "chunks", "headers", "interim answers"],
)
async def test_an_answer_a_byte_at_a_time_ends_at_the_time_out(server: FaultServer, fault: Fault) -> None:
    endpoint = Endpoint("main", server.url, KEY, 1_000_000, timeout=timedelta(seconds=0.3))
    server.script(fault)
    async with PanelClient(endpoint) as client:
        with pytest.raises(Ambiguous):
            await client.add({"service": "1"})
    assert server.asked("add") == 1


async def test_headers_without_end_are_bounded(
    server: FaultServer, client: PanelClient, peak: Callable[[], int]
) -> None:
    server.script(faults.raw(b"{}", headers={f"X-{number}": "y" * 1000 for number in range(10_000)}))
    with pytest.raises(PanelError):
        await client.balance()
    assert peak() < 80 * MIB


# -- numbers ------------------------------------------------------------------------------------------------
NUMBERS = [
    "1e99999999999999999999999",
    "-1E-99999999999999999999999",
    "1e999999999",
    "1.5",
    "0.0",
    "-7",
    "1" * 65,
    "1." + "9" * 500,
    "true",
    "[]",
    "{}",
    '"../../etc/passwd"',
    "\"1' OR '1'='1\"",
    '"1,2"',
    '"1\\u0000"',
    '"\\u200b1"',
    '"١٢٣"',
    '"NaN"',
    '"' + "9" * 65 + '"',
    '""',
]


@pytest.mark.parametrize("written", NUMBERS)
def test_an_id_that_is_none_is_never_an_order(written: str) -> None:
    with pytest.raises(Unreadable):
        wire.read_new_order(judge(Reply(200, f'{{"order": {written}}}'), ("order",)))


@pytest.mark.parametrize(
    "written", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999999", "1e40", '"NaN"', '"inf"']
)
def test_a_number_that_is_none_is_no_balance(written: str) -> None:
    with pytest.raises(Unreadable):
        wire.read_balance(judge(Reply(200, f'{{"balance": {written}, "currency": "USD"}}')))


# -- contradictions -----------------------------------------------------------------------------------------
CONTRADICTING_ADDS = (
    '{"order": 5, "order": 6}',
    '{"order": 5, "error": {"code": 1, "code": 2}}',
    '{"order": 5, "error": "no", "error": null}',
    '{"error": null, "error": "Not enough funds"}',
    '{"order": null, "order": 5}',
)


@pytest.mark.parametrize("body", CONTRADICTING_ADDS)
def test_an_answer_that_contradicts_itself_proves_nothing(body: str) -> None:
    with pytest.raises(Unreadable):
        wire.read_new_order(judge(Reply(200, body), ("order",)))


def test_the_same_said_twice_is_no_contradiction() -> None:
    assert wire.read_new_order(judge(Reply(200, '{"order": 5, "order": 5}'), ("order",))) == "5"
    with pytest.raises(Rejected):
        judge(Reply(200, '{"error": "Not enough funds", "error": "Not enough funds"}'), ("order",))


def test_an_order_said_to_be_two_things_is_frozen_and_its_batch_mates_are_read() -> None:
    body = '{"1": {"status": "Completed"}, "2": {"status": "Partial"}, "1": {"status": "Canceled"}}'
    entries = wire.read_order_states(decode(body), ["1", "2"])
    assert entries.found == {"2": OrderState("Partial", True)}
    assert entries.unreadable == ("1",)


def test_an_entry_that_contradicts_itself_is_unreadable() -> None:
    body = (
        '[{"order": 1, "refill": 5, "refill": 6}, {"order": 2, "refill": 7},'
        ' {"order": 3, "refill": {"error": "a", "error": "b"}}]'
    )
    entries = wire.read_refills(decode(body), ["1", "2", "3"])
    assert entries.found == {"2": Accepted("7")}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "1", "2"]), st.integers(0, 2)), max_size=6))
def test_a_member_named_twice_counts_only_when_both_agree(pairs: list[tuple[str, int]]) -> None:
    body = "{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}"
    values = {name: {value for other, value in pairs if other == name} for name, _ in pairs}
    document = decode(body)
    if any(len(said) > 1 for name, said in values.items() if not name.isdecimal()):
        assert document is GARBLED
    else:
        assert document == {name: said.pop() if len(said) == 1 else GARBLED for name, said in values.items()}


def test_a_refusal_of_a_single_entry_has_safe_words() -> None:
    body = '{"1": {"error": "Incorrect\\u001b[31m order\\r\\nID\\u202e"}}'
    assert wire.read_order_states(decode(body), ["1"]).found == {"1": Refused("Incorrect order ID")}


async def test_an_answer_that_breaks_its_reader_is_unreadable_and_nothing_worse(
    server: FaultServer, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(wire, "read_new_order", broken)
    server.script(faults.answer({"order": 5}))
    with pytest.raises(Unreadable, match=r"^an answer that could not be read \(ZeroDivisionError\)$"):
        await client.add({"service": "1"})
    assert server.asked("add") == 1
