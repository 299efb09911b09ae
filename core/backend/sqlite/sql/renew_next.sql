-- When the earliest lease of another worker ends.
SELECT min(lease_until) FROM workers WHERE ended_at IS NULL AND id <> :worker_id;
