"""What operators see beside the page, of the same shop: `top` in a terminal, and a digest as mail."""

from __future__ import annotations

import io
from dataclasses import replace
from html import escape

from rich.console import Console

from smm_rules.cli.top.frame import frame
from smm_rules.cli.top.view import Viewer
from smm_rules.ledger.records import QueuedMessage
from smm_rules.notify.bundles import Bundle
from smm_rules.notify.channels.email import EmailChannel, MailSecurity
from smm_rules.notify.plots import BalancePlots
from smm_rules.web.site import Site
from tests.web.shop import NOW

_WIDTH, _HEIGHT = 110, 44


async def terminal(site: Site) -> str:
    """A frame of `smm-rules top` as an SVG of a terminal."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    for line in frame(await Viewer(site.ledger, site.configuration, site.clock).look(), _WIDTH, _HEIGHT):
        console.print(line)
    return console.export_svg(title="smm-rules top")


async def digest(site: Site) -> Bundle:
    """Two alerts about balances as one message."""
    queued: tuple[QueuedMessage, ...] = await site.ledger.messages((), 50)
    return Bundle(tuple(message for message in queued if message.alert))


async def mail(site: Site) -> str:
    """The digest's mail as a page: its headers, its text, and what is attached."""
    bundle = await digest(site)
    plots = await BalancePlots(site.ledger, site.panels).of(bundle, NOW)
    sender = EmailChannel(
        "mail", "127.0.0.1", "rules@shop.example", ["ann@shop.example"], security=MailSecurity.NONE
    )
    sent = sender.compose(replace(bundle.message, plots=plots), NOW)
    shown = ("From", "To", "Subject", "Date")
    heads = "".join(f"<b>{name}:</b> {escape(str(sent[name]))}<br>" for name in shown)
    body = sent.get_body(("plain",))
    assert body is not None
    attached = "".join(
        f"<figure><figcaption>{escape(part.get_filename() or '')}</figcaption>"
        f"{part.get_content().decode()}</figure>"
        for part in sent.iter_attachments()
    )
    style = "body{font:15px sans-serif;margin:24px;max-width:800px}svg{max-width:100%;height:auto}"
    text = escape(body.get_content())
    return f"<style>{style}</style><p>{heads}</p><hr><pre>{text}</pre><hr>{attached}"
