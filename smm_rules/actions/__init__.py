"""Carrying out intents: checked, claimed, attempted once, settled."""
