-- What is known of an order's next look before it is taken: NULL where it has to be taken whole.
ALTER TABLE entities ADD COLUMN answer BIGINT;
ALTER TABLE entities ADD COLUMN context BIGINT;
ALTER TABLE entities ADD COLUMN rests_until BIGINT;
ALTER TABLE entities ADD COLUMN pace BIGINT;
ALTER TABLE entities ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
