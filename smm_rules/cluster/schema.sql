-- What workers share beside the ledger. Times are the database's own: no two workers' clocks are compared.

-- One row a lease. `epoch` is never given twice; claims carry it. A lease that ended is never renewed.
CREATE TABLE leases (
  epoch bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  worker text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz NOT NULL,
  ended_at timestamptz,
  rules bigint,
  settings text NOT NULL
);
CREATE INDEX leases_live ON leases (lease_until) WHERE ended_at IS NULL;

-- Which run is asking a panel about which order or refill. Not logged: after a crash of the server none is.
CREATE UNLOGGED TABLE reads (
  kind text NOT NULL,
  panel text NOT NULL,
  name text NOT NULL,
  epoch bigint NOT NULL,
  run bigint NOT NULL,
  PRIMARY KEY (kind, panel, name)
);
CREATE INDEX reads_run ON reads (epoch, run);

-- The request budget of each panel, for all workers together.
CREATE TABLE budgets (
  panel text PRIMARY KEY,
  tokens double precision NOT NULL,
  counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  resume_at timestamptz NOT NULL DEFAULT 'epoch',
  urgent_until timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50);

-- How each panel has been answering. `outages`, `tried` and `read_at` are by kind of look.
CREATE TABLE panels (
  panel text PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0,
  outages jsonb NOT NULL DEFAULT '{}',
  tried jsonb NOT NULL DEFAULT '{}',
  read_at jsonb NOT NULL DEFAULT '{}',
  wanted_at jsonb NOT NULL DEFAULT '{}',
  health jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

-- When each unit that is no look at a panel is to be done next.
CREATE TABLE units (
  unit text PRIMARY KEY,
  next_at timestamptz NOT NULL
);

-- Every rule set that was put into force, newest last. Workers act under the newest alone.
CREATE TABLE rules (
  generation bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  digest text NOT NULL,
  questions jsonb NOT NULL,
  versions jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  worker text NOT NULL
);

-- A claim of a worker counts only while its lease lasts. Otherwise nothing is claimed, as if another one had been
-- faster. It is checked here, within the claim's own transaction, so that no worker of whatever release escapes.
CREATE FUNCTION claim_needs_a_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM smm_rules_cluster.leases
    WHERE epoch = substr(NEW.owner, 8)::bigint AND ended_at IS NULL AND lease_until > clock_timestamp()
  ) THEN
    RETURN NEW;
  END IF;
  RETURN NULL;
END;
$$;
CREATE TRIGGER claim_needs_a_lease BEFORE UPDATE OF state ON smm_rules.intents FOR EACH ROW
WHEN (OLD.state = 'planned' AND NEW.state = 'sending' AND NEW.owner LIKE 'worker/%')
EXECUTE FUNCTION claim_needs_a_lease();
