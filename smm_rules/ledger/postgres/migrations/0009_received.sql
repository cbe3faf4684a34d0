-- What programs asked for under a key of theirs, and what they were answered: asked again, it isn't done again.
CREATE TABLE received (
  client TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  digest TEXT NOT NULL,
  at BIGINT NOT NULL,
  intent BIGINT,
  guards TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (client, key)
);
CREATE INDEX received_intent ON received (intent) WHERE intent IS NOT NULL;
CREATE INDEX received_at ON received (at) WHERE intent IS NULL;
