-- Alerts: notifying firings and what became of them, and what keeps their messages back.

-- One a rule, entity and episode, written with its first message. `level` is that message's.
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
CREATE INDEX alerts_open ON alerts (name) WHERE state <> 'resolved';
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';

-- Alerts that are kept back until a time. A pattern is empty for any.
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
CREATE INDEX silences_open ON silences (until) WHERE ended_at IS NULL;

-- The alert a message tells of and what it says of it; empty for other messages.
ALTER TABLE outbox ADD COLUMN alert TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN telling TEXT NOT NULL DEFAULT '';
-- What keeps it back, or how it was sent.
ALTER TABLE outbox ADD COLUMN why TEXT NOT NULL DEFAULT '';
-- The group it waits or was sent in, and the key of the one message that several were sent as.
ALTER TABLE outbox ADD COLUMN group_name TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN sent_as TEXT NOT NULL DEFAULT '';
-- It isn't sent before this, whatever the clock did meanwhile.
ALTER TABLE outbox ADD COLUMN not_before INTEGER;
-- There was nothing to be told any more; `dropped_at` is the same.
ALTER TABLE outbox ADD COLUMN suppressed_at INTEGER;
CREATE INDEX outbox_alert ON outbox (alert) WHERE alert <> '';
CREATE INDEX outbox_group ON outbox (group_name, state) WHERE group_name <> '';
CREATE INDEX outbox_channel ON outbox (channel, settled_at) WHERE state = 'delivered';
