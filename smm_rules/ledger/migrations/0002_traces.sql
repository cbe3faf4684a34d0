-- What rules came to for an entity, the last few times that changed something: for `explain`.
-- `facts` are those the rule read, those not known as null.
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
CREATE INDEX traces_entity ON traces (entity, rule, id);
CREATE INDEX traces_at ON traces (at);
