"""Configuration: one YAML file, the environment and systemd credentials."""
