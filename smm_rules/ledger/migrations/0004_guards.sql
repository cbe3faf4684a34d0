-- What guards add up, and what is stopped.

ALTER TABLE firings ADD COLUMN guards TEXT NOT NULL DEFAULT '{}';
-- The order an action is about (of a refill: the order refilled) and the first of its chain.
ALTER TABLE intents ADD COLUMN subject TEXT;
ALTER TABLE intents ADD COLUMN root TEXT;
-- When a held action is denied by itself, and when the operator was told that a guard held it.
ALTER TABLE intents ADD COLUMN expires_at INTEGER;
ALTER TABLE intents ADD COLUMN told_at INTEGER;
UPDATE intents SET subject = entity WHERE entity LIKE 'order/%';
UPDATE intents SET root = coalesce((SELECT root FROM firings WHERE firings.id = intents.firing), subject);
CREATE INDEX intents_rule ON intents (rule, claimed_at);
CREATE INDEX intents_panel ON intents (panel, claimed_at);
CREATE INDEX intents_subject ON intents (subject) WHERE subject IS NOT NULL;
CREATE INDEX intents_root ON intents (root) WHERE root IS NOT NULL;
CREATE INDEX intents_expires ON intents (expires_at) WHERE expires_at IS NOT NULL;

-- What actions that have been pruned had cost, by what they were about: `order …` and `chain …`.
CREATE TABLE past_spending (
  about TEXT NOT NULL,
  rule TEXT NOT NULL,
  panel TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (about, rule, panel, currency)
) STRICT, WITHOUT ROWID;

-- How attempts ended, for breakers. Outlives changes of the intents themselves.
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  panel TEXT NOT NULL,
  rule TEXT NOT NULL,
  attempt TEXT NOT NULL
) STRICT;
CREATE INDEX attempts_panel ON attempts (panel, id);
CREATE INDEX attempts_rule ON attempts (rule, id);
CREATE INDEX attempts_at ON attempts (at);

-- What keeps actions from being sent: pauses, panics, breakers. `name` is empty where the scope is everything.
CREATE TABLE stops (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('pause', 'panic', 'breaker', 'sweep')),
  scope TEXT NOT NULL CHECK (scope IN ('rule', 'panel', 'all')),
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  ended_at INTEGER,
  ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX stops_active ON stops (kind, scope, name) WHERE ended_at IS NULL;
