-- The queues nothing may be claimed from, with who paused them.
SELECT name, paused_at, paused_by FROM queues WHERE paused ORDER BY name;
