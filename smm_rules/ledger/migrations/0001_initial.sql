-- Instants are INTEGER microseconds since 1970 UTC, money is TEXT, records are JSON TEXT (ledger/codec.py).
-- An `entity`, `root` or `parent` TEXT is `kind/panel/id`.

-- Small rows: a sweep that brings nothing new touches only these.
CREATE TABLE entities (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  panel TEXT NOT NULL,
  name TEXT NOT NULL,
  forgotten_at INTEGER,  -- NULL while it is watched; what is forgotten is never due
  first_seen_at INTEGER,
  last_seen_at INTEGER,
  due_at INTEGER CHECK (due_at IS NULL OR forgotten_at IS NULL),
  refilled INTEGER REFERENCES entities (id),  -- of a refill: the order it refills
  UNIQUE (kind, panel, name)
) STRICT;
CREATE INDEX entities_due ON entities (kind, panel, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX entities_refilled ON entities (refilled) WHERE refilled IS NOT NULL;

-- The last known facts of each entity.
CREATE TABLE facts (
  entity INTEGER PRIMARY KEY REFERENCES entities (id),
  facts TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
  entity INTEGER PRIMARY KEY REFERENCES entities (id),
  service TEXT,
  parameters TEXT NOT NULL,
  placed_at INTEGER,
  tracked_at INTEGER NOT NULL,
  label TEXT NOT NULL,
  source TEXT NOT NULL,
  parent TEXT,
  root TEXT,  -- NULL for the first of a chain
  depth INTEGER NOT NULL,
  refills INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX orders_root ON orders (root) WHERE root IS NOT NULL;

-- How often each rule fired over a chain of reorders; outlives the firings themselves, which are pruned.
CREATE TABLE chains (
  root TEXT NOT NULL,
  rule TEXT NOT NULL,
  firings INTEGER NOT NULL,
  PRIMARY KEY (root, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  entity INTEGER NOT NULL REFERENCES entities (id),
  at INTEGER NOT NULL,
  facts TEXT NOT NULL,
  UNIQUE (entity, at)
) STRICT;
CREATE INDEX history_at ON history (at);

CREATE TABLE memories (
  entity INTEGER NOT NULL REFERENCES entities (id),
  rule TEXT NOT NULL,
  memory TEXT NOT NULL,
  PRIMARY KEY (entity, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE firings (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  rule TEXT NOT NULL,
  rule_version TEXT NOT NULL,
  entity TEXT NOT NULL,
  root TEXT NOT NULL,
  episode INTEGER NOT NULL,
  occasion TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  at INTEGER NOT NULL,
  facts TEXT NOT NULL,
  steps TEXT NOT NULL,
  otherwise TEXT NOT NULL,
  limits TEXT NOT NULL
) STRICT;
CREATE INDEX firings_at ON firings (at);

CREATE TABLE intents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an ID an operator wrote down never comes to mean another intent
  firing INTEGER REFERENCES firings (id),
  rule TEXT NOT NULL,
  entity TEXT NOT NULL,
  episode INTEGER NOT NULL,
  step TEXT NOT NULL,
  kind TEXT NOT NULL,
  panel TEXT NOT NULL,
  parameters TEXT NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('planned', 'held', 'sending', 'confirmed', 'rejected', 'not_sent', 'unknown', 'denied')
  ),
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  reserved TEXT,
  currency TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER,
  planned_at INTEGER NOT NULL,
  claimed_at INTEGER,
  settled_at INTEGER,
  result TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL DEFAULT '{}',
  UNIQUE (rule, entity, episode, step)
) STRICT;
CREATE INDEX intents_state ON intents (state, id);
CREATE INDEX intents_entity ON intents (entity);
CREATE INDEX intents_firing ON intents (firing) WHERE firing IS NOT NULL;

CREATE TABLE transitions (
  id INTEGER PRIMARY KEY,
  intent INTEGER NOT NULL REFERENCES intents (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  by TEXT NOT NULL
) STRICT;
CREATE INDEX transitions_intent ON transitions (intent, id);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dedup_key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  level TEXT NOT NULL,
  fallback TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  created_at INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  settled_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_pending ON outbox (next_attempt_at, id) WHERE state = 'pending';

CREATE TABLE heartbeat (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL,
  detail TEXT NOT NULL
) STRICT;
