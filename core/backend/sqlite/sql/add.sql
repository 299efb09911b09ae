-- Adds an entry to a history, unless it is there.
INSERT INTO tasks (id, key, kind, step, queue, rank, tags, state, due_at, fires_at, worker_id, token, input_hash, created_at, started_at, finished_at, policy, input, result, start_within, start_by)
VALUES (:n << 20 | :seq, :key, :kind, :step, :queue, -:priority, :tags, :state, :due_at, :fires_at, :worker_id, :token, :input_hash, :now, :started_at, :finished_at, :policy, :input, :result, :start_within, :start_by)
ON CONFLICT (id) DO NOTHING;
