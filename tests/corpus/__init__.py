"""Broken rule files, and what must be said of each."""
