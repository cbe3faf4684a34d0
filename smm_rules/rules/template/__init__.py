"""Templates: Jinja2 cut down to facts, filters, simple sums and `if`, in a sandbox."""
