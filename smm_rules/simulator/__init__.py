"""A panel to try, test and benchmark against, sharing no code with the daemon."""
