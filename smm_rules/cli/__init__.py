"""The `smm-rules` command."""
