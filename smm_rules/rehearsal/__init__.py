"""Rules rehearsed over simulated time by the daemon's own loader, decisions, ledger and executor."""
