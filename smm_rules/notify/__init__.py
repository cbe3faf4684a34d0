"""Delivery of messages: channels and the outbox worker."""
