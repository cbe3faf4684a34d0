"""The pages to look at, a module for each kind of thing."""
