-- Where the reading of each database of orders has come to, its rows that were no orders, and files of purchases
-- with their rows.
CREATE TABLE sources (
  name TEXT COLLATE "C" PRIMARY KEY,
  watermark TEXT NOT NULL,
  generation BIGINT NOT NULL,
  added BIGINT NOT NULL,
  read_at BIGINT,
  due_at BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failing_since BIGINT,
  error TEXT NOT NULL
);

CREATE TABLE bad_rows (
  source TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  what TEXT NOT NULL,
  to_do TEXT NOT NULL,
  PRIMARY KEY (source, name)
);
CREATE INDEX bad_rows_at ON bad_rows (at);

CREATE TABLE plans (
  name TEXT COLLATE "C" PRIMARY KEY,
  digest TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX plans_digest ON plans (digest);

CREATE TABLE plan_rows (
  scope TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  intent BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
