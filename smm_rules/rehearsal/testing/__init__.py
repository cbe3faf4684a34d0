"""Unit tests of rules: written beside them in YAML, played on the stage, judged and told."""
