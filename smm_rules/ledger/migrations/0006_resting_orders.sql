-- What is known of an order's next look before it is taken: NULL where it has to be taken whole.
--
-- Every back end has these columns and leaves them NULL for what isn't an order. Whatever changes an order, its
-- facts, its place in a chain or a rule's memory of it outside a sweep sets `answer` to NULL (ledger/sql/rest.py).

-- A fingerprint of what the panel last said of it, word for word.
ALTER TABLE entities ADD COLUMN answer INTEGER;
-- A fingerprint of all else that its rules go by: themselves, and the facts of service, balance and panel.
ALTER TABLE entities ADD COLUMN context INTEGER;
-- The first instant at which time alone may change what its rules come to.
ALTER TABLE entities ADD COLUMN rests_until INTEGER;
-- How long after a look the next one is due, in microseconds.
ALTER TABLE entities ADD COLUMN pace INTEGER;
-- How often the order was changed outside sweeps: a look that began before such a change decides nothing for later.
ALTER TABLE entities ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
