"""The client for one panel speaking API v2: wire text in, typed facts out."""
