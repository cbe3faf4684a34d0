"""Tests of equal services: the mapping file, proposals, exchange rates, and the choice among panels."""
