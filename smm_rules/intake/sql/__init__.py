"""Orders out of databases: read again and again, incrementally, and never written to."""
