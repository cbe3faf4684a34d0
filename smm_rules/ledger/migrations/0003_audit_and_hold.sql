-- Which ledger this is: a restored copy has the same name as the one it was copied from.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ledger TEXT NOT NULL,
  stamped INTEGER NOT NULL  -- 1 once a stamp was written beside the file (ledger/stamp.py)
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))), 0);

-- Times at which nothing acting may leave, because the ledger was found to be older than the stamp beside it.
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
CREATE INDEX holds_open ON holds (id) WHERE confirmed_at IS NULL;

-- The record of decisions. `hash` is over the entry before it and this one (ledger/audit.py).
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  by TEXT NOT NULL,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_checkpoints ON audit (id) WHERE kind = 'checkpoint';
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the record of decisions is never changed');
END;
-- What a checkpoint has sealed may be pruned, nothing else.
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
WHEN NOT EXISTS (
  SELECT 1 FROM audit WHERE kind = 'checkpoint' AND id > old.id AND json_extract(data, '$.last') >= old.id
)
BEGIN
  SELECT raise(ABORT, 'the record of decisions is never shortened');
END;

-- Each rule's text as it was written, kept once. `digest` is its SHA-256.
CREATE TABLE rule_versions (
  rule TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rule, version, digest)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER rule_versions_are_never_changed BEFORE UPDATE ON rule_versions BEGIN
  SELECT raise(ABORT, 'the text of a rule that was in force is never changed');
END;
CREATE TRIGGER rule_versions_are_never_dropped BEFORE DELETE ON rule_versions BEGIN
  SELECT raise(ABORT, 'the text of a rule that was in force is never dropped');
END;
