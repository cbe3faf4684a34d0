"""How the daemon, its panels, orders and actions stand, gathered and in words: for commands and the page."""
