"""The kinds of channels, one module each."""

from smm_rules.notify.channels.apprise import AppriseChannel, AppriseMissing
from smm_rules.notify.channels.email import EmailChannel, MailSecurity
from smm_rules.notify.channels.log import LogChannel
from smm_rules.notify.channels.webhook import WebhookChannel

__all__ = [
    "AppriseChannel",
    "AppriseMissing",
    "EmailChannel",
    "LogChannel",
    "MailSecurity",
    "WebhookChannel",
]
