-- Alerts: notifying firings and what became of them, and what keeps their messages back.
CREATE TABLE alerts (
  id BIGINT PRIMARY KEY,
  key TEXT COLLATE "C" NOT NULL UNIQUE,
  rule TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  panel TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  episode BIGINT NOT NULL,
  level TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('firing', 'acknowledged', 'resolved')),
  fired_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  acknowledged_why TEXT NOT NULL DEFAULT '',
  resolved_at BIGINT
);
CREATE INDEX alerts_open ON alerts (name) WHERE state <> 'resolved';
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';

CREATE TABLE silences (
  id BIGINT PRIMARY KEY,
  rule TEXT NOT NULL,
  panel TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  level TEXT NOT NULL,
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  ended_at BIGINT,
  ended_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX silences_open ON silences (until) WHERE ended_at IS NULL;

INSERT INTO handed_out VALUES ('alerts', 0), ('silences', 0);
CREATE TRIGGER alerts_next_id BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION smm_rules.next_id();
CREATE TRIGGER alerts_note_id AFTER INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION smm_rules.note_id();
CREATE TRIGGER silences_next_id BEFORE INSERT ON silences FOR EACH ROW EXECUTE FUNCTION smm_rules.next_id();
CREATE TRIGGER silences_note_id AFTER INSERT ON silences FOR EACH ROW EXECUTE FUNCTION smm_rules.note_id();

ALTER TABLE outbox ADD COLUMN alert TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN telling TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN group_name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN sent_as TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN not_before BIGINT;
ALTER TABLE outbox ADD COLUMN suppressed_at BIGINT;
CREATE INDEX outbox_alert ON outbox (alert) WHERE alert <> '';
CREATE INDEX outbox_group ON outbox (group_name, state) WHERE group_name <> '';
CREATE INDEX outbox_channel ON outbox (channel, settled_at) WHERE state = 'delivered';
