-- Adds the call of a workflow to a history, unless it is there.
INSERT INTO tasks (id, key, kind, step, queue, rank, tags, state, input_hash, created_at, finished_at, failure, child, detached)
VALUES (:n << 20 | :seq, :key, 'child', :step, :queue, -:priority, :tags, :state, :input_hash, :now, :finished_at, :failure, :child, :detached)
ON CONFLICT (id) DO NOTHING;
