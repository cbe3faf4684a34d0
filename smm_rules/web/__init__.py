"""The status page: what the ledger knows as pages for a browser, with buttons behind a login."""
