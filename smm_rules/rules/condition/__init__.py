"""The condition language: scanned, parsed, typed, compiled, and evaluated with three truth values."""
