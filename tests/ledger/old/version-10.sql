-- A ledger as version 10 wrote it. Never changed again.
PRAGMA application_id = 1936551282;
PRAGMA user_version = 10;
BEGIN TRANSACTION;
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  rule TEXT NOT NULL,
  kind TEXT NOT NULL,
  panel TEXT NOT NULL,
  name TEXT NOT NULL,
  episode INTEGER NOT NULL,
  level TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('firing', 'acknowledged', 'resolved')),
  fired_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  acknowledged_why TEXT NOT NULL DEFAULT '',
  resolved_at INTEGER
) STRICT;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  panel TEXT NOT NULL,
  rule TEXT NOT NULL,
  attempt TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  by TEXT NOT NULL,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,1772366400123456,'rules','daemon','','{"added":["top-up"],"changed":[],"files":["rules.yaml"],"in_force":{"top-up":["v1","ca971fe6967c9461da2ed6e99c509be0d431c7035a9e928ee49ee21bd0dc5297"]},"removed":[]}','2904cda179c6d386a0568ced7e175c6cfe6e34aa577fc978592be2298ecc0cc3');
CREATE TABLE balances (
  panel TEXT PRIMARY KEY,
  amount TEXT NOT NULL,
  currency TEXT,
  asked_at INTEGER NOT NULL,
  answered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "balances" VALUES('north','12.50','USD',1772366400123456,1772366401123456);
CREATE TABLE chains (
  root TEXT NOT NULL,
  rule TEXT NOT NULL,
  firings INTEGER NOT NULL,
  PRIMARY KEY (root, rule)
) STRICT, WITHOUT ROWID;
INSERT INTO "chains" VALUES('order/north/1','top-up',1);
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "counts" VALUES('orders',2);
CREATE TABLE entities (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  panel TEXT NOT NULL,
  name TEXT NOT NULL,
  forgotten_at INTEGER,  -- NULL while it is watched; what is forgotten is never due
  first_seen_at INTEGER,
  last_seen_at INTEGER,
  due_at INTEGER CHECK (due_at IS NULL OR forgotten_at IS NULL),
  refilled INTEGER REFERENCES entities (id), answer INTEGER, context INTEGER, rests_until INTEGER, pace INTEGER, changes INTEGER NOT NULL DEFAULT 0,  -- of a refill: the order it refills
  UNIQUE (kind, panel, name)
) STRICT;
INSERT INTO "entities" VALUES(1,'order','north','1',NULL,1772366460123456,1772366460123456,1772366460123456,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "entities" VALUES(2,'order','north','2',NULL,NULL,NULL,1772409600123456,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "entities" VALUES(3,'refill','north','9',NULL,NULL,NULL,1772366580123456,1,NULL,NULL,NULL,NULL,0);
CREATE TABLE facts (
  entity INTEGER PRIMARY KEY REFERENCES entities (id),
  facts TEXT NOT NULL
) STRICT;
INSERT INTO "facts" VALUES(1,'{"remains":157,"status":"Partial"}');
INSERT INTO "facts" VALUES(3,'{"id":"9","requested_at":{"$at":1772366580123456}}');
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
, guards TEXT NOT NULL DEFAULT '{}') STRICT;
INSERT INTO "firings" VALUES(1,'top-up:order/north/1:2026-03-01T12:00:00.123456+00:00:fired:0','top-up','v1','order/north/1','order/north/1',1772366400123456,'fired',0,1772366460123456,'{"remains":157,"status":"Partial"}','[{"kind":"refill","parameters":{}},{"kind":"notify","parameters":{"channel":"ops","message":"asked"}}]','[{"kind":"reorder","parameters":{"quantity":"{{ order.remains }}"}}]','{"per_order":null,"every":null,"per_chain":null,"per_sweep":null}','{}');
CREATE TABLE heartbeat (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL,
  detail TEXT NOT NULL
) STRICT;
INSERT INTO "heartbeat" VALUES(1,'d1',1772366400123456,1772366400123456,'{"orders":"2"}');
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  entity INTEGER NOT NULL REFERENCES entities (id),
  at INTEGER NOT NULL,
  facts TEXT NOT NULL,
  UNIQUE (entity, at)
) STRICT;
INSERT INTO "history" VALUES(1,1,1772366460123456,'{"remains":157,"status":"Partial"}');
CREATE TABLE holds (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  by TEXT NOT NULL,
  confirmed_at INTEGER,
  confirmed_by TEXT,
  act_since INTEGER CHECK ((act_since IS NULL) = (confirmed_at IS NULL))
) STRICT;
CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ledger TEXT NOT NULL,
  stamped INTEGER NOT NULL  -- 1 once a stamp was written beside the file (ledger/stamp.py)
) STRICT;
INSERT INTO "identity" VALUES(1,'0123456789abcdef0123456789abcdef',0);
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
  evidence TEXT NOT NULL DEFAULT '{}', subject TEXT, root TEXT, expires_at INTEGER, told_at INTEGER,
  UNIQUE (rule, entity, episode, step)
) STRICT;
INSERT INTO "intents" VALUES(1,1,'top-up','order/north/1',1772366400123456,'do.0','refill','north','{"quantity":"10"}','confirmed','accepted','','1.50','USD',1,NULL,1772366460123456,1772366520123456,1772366580123456,'9','d1','{"balance":"4.00"}','order/north/1','order/north/1',NULL,NULL);
INSERT INTO "intents" VALUES(2,1,'top-up','order/north/1',1772366400123456,'do.1','reorder','north','{"quantity":"10"}','planned','','','3','USD',0,NULL,1772366580123456,NULL,NULL,'','','{}','order/north/1','order/north/1',NULL,NULL);
CREATE TABLE memories (
  entity INTEGER NOT NULL REFERENCES entities (id),
  rule TEXT NOT NULL,
  memory TEXT NOT NULL,
  PRIMARY KEY (entity, rule)
) STRICT, WITHOUT ROWID;
INSERT INTO "memories" VALUES(1,'top-up','{"true_since":{"$at":1772366400123456},"fired_at":{"$at":1772366460123456},"firings":1}');
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
INSERT INTO "orders" VALUES(1,'7','{"link":"https://example.com/a","quantity":"10"}',NULL,1772366400123456,'','tracked',NULL,NULL,0,1);
INSERT INTO "orders" VALUES(2,'7','{"link":"https://example.com/a","quantity":"10"}',NULL,1772366400123456,'','tracked','order/north/1','order/north/1',1,0);
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
, revived INTEGER NOT NULL DEFAULT 0, dropped_at INTEGER, alert TEXT NOT NULL DEFAULT '', telling TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '', group_name TEXT NOT NULL DEFAULT '', sent_as TEXT NOT NULL DEFAULT '', not_before INTEGER, suppressed_at INTEGER) STRICT;
INSERT INTO "outbox" VALUES(1,'told','notify','ops','','told','info','','pending',1772366460123456,1772366460123456,NULL,0,'',0,NULL,'','','','','',NULL,NULL);
CREATE TABLE past_spending (
  about TEXT NOT NULL,
  rule TEXT NOT NULL,
  panel TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (about, rule, panel, currency)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "received" VALUES('shop','order-77','5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',1772366400123456,2,'{}','{"intent":2}');
CREATE TABLE rule_versions (
  rule TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rule, version, digest)
) STRICT, WITHOUT ROWID;
INSERT INTO "rule_versions" VALUES('top-up','v1','ca971fe6967c9461da2ed6e99c509be0d431c7035a9e928ee49ee21bd0dc5297','- name: top-up
',1772366400123456);
CREATE TABLE silences (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL,
  panel TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  level TEXT NOT NULL,
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  ended_at INTEGER,
  ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE sources (
  name TEXT PRIMARY KEY,
  watermark TEXT NOT NULL,
  generation INTEGER NOT NULL,
  added INTEGER NOT NULL,
  read_at INTEGER,
  due_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  error TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE bad_rows (
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  to_do TEXT NOT NULL,
  PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE plans (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE plan_rows (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  intent INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
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
, last_attempt INTEGER) STRICT;
INSERT INTO "stops" VALUES(1,'pause','rule','top-up','a look','operator:ann',1772366400123456,NULL,NULL,'',NULL);
CREATE TABLE traces (
  id INTEGER PRIMARY KEY,
  entity INTEGER NOT NULL REFERENCES entities (id),
  rule TEXT NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  rule_version TEXT NOT NULL,
  facts TEXT NOT NULL,
  memory TEXT NOT NULL
) STRICT;
INSERT INTO "traces" VALUES(1,1,'top-up',1772366460123456,'fired','v1','{"remains":157,"status":"Partial","service.refill":null}','{"true_since":{"$at":1772366400123456},"fired_at":{"$at":1772366460123456},"last_fired":{"$at":1772366460123456},"firings":1}');
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
INSERT INTO "transitions" VALUES(1,1,1772366460123456,'','planned','','','top-up');
INSERT INTO "transitions" VALUES(2,1,1772366520123456,'planned','sending','','','d1');
INSERT INTO "transitions" VALUES(3,1,1772366580123456,'sending','confirmed','accepted','','d1');
INSERT INTO "transitions" VALUES(4,2,1772366580123456,'','planned','','','d1');
CREATE INDEX entities_due ON entities (kind, panel, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX entities_refilled ON entities (refilled) WHERE refilled IS NOT NULL;
CREATE INDEX orders_root ON orders (root) WHERE root IS NOT NULL;
CREATE INDEX history_at ON history (at);
CREATE INDEX firings_at ON firings (at);
CREATE INDEX intents_state ON intents (state, id);
CREATE INDEX intents_entity ON intents (entity);
CREATE INDEX intents_firing ON intents (firing) WHERE firing IS NOT NULL;
CREATE INDEX transitions_intent ON transitions (intent, id);
CREATE INDEX outbox_pending ON outbox (next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX traces_entity ON traces (entity, rule, id);
CREATE INDEX traces_at ON traces (at);
CREATE INDEX holds_open ON holds (id) WHERE confirmed_at IS NULL;
CREATE INDEX audit_checkpoints ON audit (id) WHERE kind = 'checkpoint';
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the record of decisions is never changed');
END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
WHEN NOT EXISTS (
  SELECT 1 FROM audit WHERE kind = 'checkpoint' AND id > old.id AND json_extract(data, '$.last') >= old.id
)
BEGIN
  SELECT raise(ABORT, 'the record of decisions is never shortened');
END;
CREATE TRIGGER rule_versions_are_never_changed BEFORE UPDATE ON rule_versions BEGIN
  SELECT raise(ABORT, 'the text of a rule that was in force is never changed');
END;
CREATE TRIGGER rule_versions_are_never_dropped BEFORE DELETE ON rule_versions BEGIN
  SELECT raise(ABORT, 'the text of a rule that was in force is never dropped');
END;
CREATE INDEX intents_rule ON intents (rule, claimed_at);
CREATE INDEX intents_panel ON intents (panel, claimed_at);
CREATE INDEX intents_subject ON intents (subject) WHERE subject IS NOT NULL;
CREATE INDEX intents_root ON intents (root) WHERE root IS NOT NULL;
CREATE INDEX intents_expires ON intents (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX attempts_panel ON attempts (panel, id);
CREATE INDEX attempts_rule ON attempts (rule, id);
CREATE INDEX attempts_at ON attempts (at);
CREATE UNIQUE INDEX stops_active ON stops (kind, scope, name) WHERE ended_at IS NULL;
CREATE INDEX intents_settled ON intents (panel, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX alerts_open ON alerts (name) WHERE state <> 'resolved';
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';
CREATE INDEX silences_open ON silences (until) WHERE ended_at IS NULL;
CREATE INDEX outbox_alert ON outbox (alert) WHERE alert <> '';
CREATE INDEX outbox_group ON outbox (group_name, state) WHERE group_name <> '';
CREATE INDEX outbox_channel ON outbox (channel, settled_at) WHERE state = 'delivered';
CREATE INDEX received_intent ON received (intent) WHERE intent IS NOT NULL;
CREATE INDEX received_at ON received (at) WHERE intent IS NULL;
CREATE INDEX bad_rows_at ON bad_rows (at);
CREATE INDEX plans_digest ON plans (digest);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',1);
INSERT INTO "sqlite_sequence" VALUES('intents',2);
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
INSERT INTO "sqlite_sequence" VALUES('stops',1);
COMMIT;
