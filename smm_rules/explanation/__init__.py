"""Why a rule did or didn't act on an entity, clause by clause."""
