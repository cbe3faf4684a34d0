-- Where the reading of each database of orders has come to. `watermark` is a JSON object, empty before the first
-- read; `generation` goes up when somebody sets it back, so that a read under way can't undo that.
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

-- Rows of such databases that were no orders. `name` is the order's ID where the row has one; told of once.
CREATE TABLE bad_rows (
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  to_do TEXT NOT NULL,
  PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX bad_rows_at ON bad_rows (at);

-- Files of purchases. `digest` is of the whole file as it was when it was placed last.
CREATE TABLE plans (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX plans_digest ON plans (digest);

-- Their rows, each with its latest intent. They outlive the intent: what was bought is never bought again.
-- `scope` is the plan's name where `key` is the number of a row, empty where it is a reference of the operator's.
CREATE TABLE plan_rows (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  intent INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
