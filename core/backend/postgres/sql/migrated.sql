-- Notes that a migration was applied.
-- $1 version, $2 name
INSERT INTO stent.migrations (version, name) VALUES ($1, $2);
