"""Rules: YAML files loaded, checked, typed and compiled."""
