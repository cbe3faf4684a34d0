"""`smm-rules orders place --plan FILE`: many orders, and what they cost before any is bought."""
