-- When the earliest lease of another worker ends, and when the next schedule ticks.
SELECT (SELECT min(lease_until) FROM workers WHERE ended_at IS NULL AND id <> :worker_id),
       (SELECT min(next_at) FROM schedules WHERE next_at IS NOT NULL);
