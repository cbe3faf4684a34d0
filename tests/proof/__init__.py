"""Proof by simulation, kills and loss of power that no paid action happens twice and none is lost."""
