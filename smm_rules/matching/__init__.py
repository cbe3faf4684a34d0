"""Services that are equal across panels: the mapping file, proposals for it, and exchange rates."""
