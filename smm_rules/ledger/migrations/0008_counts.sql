-- How many there are of what is too many to be counted each time it is asked: `orders`, those that are watched.
-- What is counted is written in the transaction that changes it; a name without a row is 0.
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counts
SELECT 'orders', count(*) FROM entities WHERE kind = 'order' AND forgotten_at IS NULL HAVING count(*) > 0;
