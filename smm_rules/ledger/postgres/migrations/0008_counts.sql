-- How many there are of what is too many to be counted each time it is asked.
CREATE TABLE counts (
  name TEXT COLLATE "C" PRIMARY KEY,
  amount BIGINT NOT NULL
);
INSERT INTO counts
SELECT 'orders', count(*) FROM entities WHERE kind = 'order' AND forgotten_at IS NULL HAVING count(*) > 0;
