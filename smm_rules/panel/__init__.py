"""The client for one panel speaking API v2: wire text in, typed facts out.

This package's own module imports nothing: the pure core reads `panel.answers` without loading an HTTP client.
"""
