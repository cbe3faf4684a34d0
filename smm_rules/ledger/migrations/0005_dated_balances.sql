-- Balances with the date of their question, breakers that count attempts instead of trusting a clock, and
-- messages that the operator revived or dropped.

-- The balance each panel answered last: that of some moment from `asked_at` to `answered_at`.
CREATE TABLE balances (
  panel TEXT PRIMARY KEY,
  amount TEXT NOT NULL,
  currency TEXT,
  asked_at INTEGER NOT NULL,
  answered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- When the ones known so far were asked for wasn't kept: no look took longer than 15 minutes.
INSERT INTO balances
SELECT e.panel, json_extract(f.facts, '$.amount."$decimal"'), json_extract(f.facts, '$.currency'),
  e.last_seen_at - 900000000, e.last_seen_at
FROM entities e JOIN facts f ON f.entity = e.id
WHERE e.kind = 'balance' AND e.last_seen_at IS NOT NULL
  AND json_extract(f.facts, '$.amount."$decimal"') IS NOT NULL;

-- What was under way on a panel in a window of time.
CREATE INDEX intents_settled ON intents (panel, settled_at) WHERE settled_at IS NOT NULL;

-- The newest attempt when a stop ended: those up to it count for no later breaker.
ALTER TABLE stops ADD COLUMN last_attempt INTEGER;
UPDATE stops
SET last_attempt = coalesce((SELECT max(id) FROM attempts WHERE attempts.at <= stops.ended_at), 0)
WHERE kind = 'breaker' AND ended_at IS NOT NULL;

-- How often a dead message was put back, and when the operator gave it up for good.
ALTER TABLE outbox ADD COLUMN revived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN dropped_at INTEGER;
