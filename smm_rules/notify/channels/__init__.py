"""The kinds of channels, one module each. Who needs a kind imports its module: some bring large libraries."""
