"""Delivery of messages: channels and the outbox worker."""

from smm_rules.notify.build import channel_secrets, make_channel, make_channels
from smm_rules.notify.channel import Channel, DeliveryFailed, Message
from smm_rules.notify.delivery import DeliveryReport, deliver_due
from smm_rules.notify.operator import OperatorVoice

__all__ = [
    "Channel",
    "DeliveryFailed",
    "DeliveryReport",
    "Message",
    "OperatorVoice",
    "channel_secrets",
    "deliver_due",
    "make_channel",
    "make_channels",
]
