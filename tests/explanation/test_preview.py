"""`smm-rules preview`: what it shows is what is sent, and it sends nothing itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState
from tests.explanation.saying import said
from tests.explanation.stage import MINUTE, Stage

RULE = """
name: refill-partial
watch: order
when: status == "Partial" and remains > 0
do:
  - notify: {channel: ops, title: "{{ order.id }}", message: "{{ remains }} missing of {{ order.id }}"}
  - reorder: {quantity: "{{ remains }}", max_rate_increase: 10%}
  - log: {message: "ordered again as {{ result }}"}
otherwise:
  - webhook: {channel: shop, data: {order: "{{ order.id }}", said: "{{ refusal }}"}}
done:
  - notify: {channel: mail, message: "{{ order.id }} is well"}
limit: {per_order: 1}
"""
CHANNELS = """\
  shop: {webhook: {url: "https://shop.example/secret-path", secret: {env: SHOP_SECRET}}}
  mail: {email: {host: mail.example.org, from: rules@example.org, to: ops@example.org}}
"""


async def prepared(stage: Stage, status: str = "Partial") -> None:
    stage.add_channels(CHANNELS)
    stage.use(RULE)
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", status, 157)


async def test_what_is_shown_is_what_is_sent(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        rules, stage.rules = stage.rules, type(stage.rules)()
        await stage.look(5 * MINUTE)  # it is known to be Partial, and nothing has fired
        asked = len(stage.panel.journal.requests())
        found = (await said(stage, "preview", "refill-partial", "--order", "1001", "--json")).data
        assert len(stage.panel.journal.requests()) == asked
        assert await stage.ledger.messages((), 10) == ()
        stage.rules = rules
        await stage.look(5 * MINUTE)
        sent = {
            message.dedup_key.rpartition(":")[2]: message for message in await stage.ledger.messages((), 10)
        }
        (intent,) = await stage.ledger.intents((IntentState.CONFIRMED,), 10)
    steps = {step["step"]: step for step in found["steps"]}
    assert found["holds"] is True
    assert (steps["do.0"]["title"], steps["do.0"]["body"]) == (sent["do.0"].title, sent["do.0"].body)
    assert steps["do.2"]["body"] == sent["do.2"].body.replace(intent.result, "(the panel's ID)")
    call = steps["do.1"]["call"]
    assert call.pop("action") == "add"
    assert call == json.loads(intent.evidence["sent"])
    assert steps["do.1"]["cost"] == intent.evidence["cost"]


async def test_each_channel_shows_its_own_way_and_no_secret(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        await stage.look(5 * MINUTE)
        text = (await said(stage, "preview", "refill-partial", "--order", "1001")).out
    assert "Subject: 1001 is well" in text
    assert "To: ops@example.org" in text
    assert "X-Smm-Rules-Signature: t=<when it is sent>,v1=<HMAC-SHA256" in text
    assert '"data": {"order": "1001", "said": "(the panel\'s words)"}' in text
    assert "| action=add" in text
    assert "secret-path" not in text


async def test_supposed_facts_need_no_ledger(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        stage.add_channels(CHANNELS)
        stage.use(RULE)
        facts = (
            "status=partial remains=157 quantity=1000 link=https://example.com/a "
            "service.rate=2 service.min=10 service.max=5000 service.type=Default "
            "balance.amount={amount} balance.currency=USD"
        )
        rich = await said(stage, "preview", "refill-partial", "--given", facts.format(amount=5), "--json")
        poor = await said(stage, "preview", "refill-partial", "--given", facts.format(amount="0.1"), "--json")
    step = rich.data["steps"][1]
    assert (rich.code, step["call"]["quantity"], step["cost"]) == (0, "157", "0.314")
    step = poor.data["steps"][1]
    assert (step["outcome"], step["call"]) == ("later", None)
    assert "top it up" in step["message"]


async def test_a_file_of_facts_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        path = tmp_path / "given.yaml"
        path.write_text("order: {id: 77, status: Canceled, remains: 3}\n", encoding="utf-8")
        found = await said(stage, "preview", "refill-partial", "--given", str(path), "--json")
        assert (found.data["entity"], found.data["holds"]) == ("order/main/77", False)
        path.write_text("order: {statsu: Canceled}\n", encoding="utf-8")
        found = await said(stage, "preview", "refill-partial", "--given", str(path))
    assert (found.code, found.out) == (2, "")
    assert 'orders have no fact "statsu". Did you mean "status"?' in found.err


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("remains=many", "remains is a number, and 'many' is none"),
        ("status_known=perhaps", "status_known is a boolean, and 'perhaps' is none"),
        ("age=soon", "age is a duration, and 'soon' is none"),
        ("remains=1 Partial", "'Partial' is not NAME=VALUE"),
        ("nowhere.yaml", "nowhere.yaml is neither NAME=VALUE nor a file"),
        ("label='open", "--given can't be read"),
    ],
)
async def test_facts_that_cannot_be_supposed(tmp_path: Path, given: str, complaint: str) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        found = await said(stage, "preview", "refill-partial", "--given", given)
    assert (found.code, found.out) == (2, "")
    assert complaint in found.err


async def test_a_template_that_fails_shows_what_goes_out_instead(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        found = await said(stage, "preview", "refill-partial", "--given", "status=Partial")
    assert "template failed: " in found.out
    assert "| refill-partial: order 1 on panel main (status Partial)" in found.out
    assert "do.1 reorder\n    not sent: " in found.out
    assert "Its condition can't be decided on these facts" in found.out


async def test_an_order_nobody_has_read_has_no_facts(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        await prepared(stage)
        await stage.track("2000")
        found = await said(stage, "preview", "refill-partial", "--order", "2000")
    assert (found.code, found.out) == (1, "")
    assert "has not been read yet: suppose its facts with --given" in found.err
