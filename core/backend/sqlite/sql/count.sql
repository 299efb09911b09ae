-- Adds to a counter.
INSERT INTO counters (n, name, value) VALUES (:n, :name, :delta)
ON CONFLICT (n, name) DO UPDATE SET value = value + excluded.value;
