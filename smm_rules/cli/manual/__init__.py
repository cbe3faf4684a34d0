"""Manual pages, generated from the command line and the configuration's schema.

`python -m smm_rules.cli.manual DIRECTORY` writes them all.
"""
