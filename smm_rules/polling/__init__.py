"""Looks at a panel: read, compare, evaluate, record."""
