"""YAML files read safely, every value with its place in the file."""
