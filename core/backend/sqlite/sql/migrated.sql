-- Notes that a migration was applied.
INSERT INTO migrations (version, name, applied_at) VALUES (:version, :name, :now);
