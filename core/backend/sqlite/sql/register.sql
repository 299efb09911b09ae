-- Adds a worker.
INSERT INTO workers (id, host, pid, queues, tags, steps, limits, slots, used, state, version, started_at, renewed_at, lease_until)
VALUES (:worker_id, :host, :pid, :queues, :tags, :steps, :limits, :slots, :used, :state, :version, :now, :now, :lease_until);
