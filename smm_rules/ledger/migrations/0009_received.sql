-- What programs asked for under a key of theirs, and what they were answered: asked again, it isn't done again.
-- `digest` is of what was asked. `intent` is the purchase that was planned, NULL where orders were tracked;
-- `guards` are those of what was asked by then, as a firing keeps its rule's.
CREATE TABLE received (
  client TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  intent INTEGER,
  guards TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (client, key)
) STRICT;
CREATE INDEX received_intent ON received (intent) WHERE intent IS NOT NULL;
CREATE INDEX received_at ON received (at) WHERE intent IS NULL;
