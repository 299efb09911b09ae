-- Lets nothing be claimed from a queue. One that is paused already is left as it is.
INSERT INTO queues (name, paused, paused_at, paused_by) VALUES (:queue, 1, :now, :actor)
ON CONFLICT (name) DO UPDATE SET paused = 1, paused_at = excluded.paused_at, paused_by = excluded.paused_by WHERE NOT paused;
