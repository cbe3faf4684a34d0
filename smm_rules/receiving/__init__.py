"""The HTTP intake: programs hand over orders to be watched or placed, and may safely ask again."""
