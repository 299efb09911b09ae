-- Begins an execution that another one calls, unless there is one with this id.
INSERT INTO executions (id, workflow, queue, rank, tags, state, task_state, due_at, input_hash, created_at, deadline_at, expires_at, parent)
VALUES (:execution_id, :workflow, :queue, -:priority, :tags, 'pending', 'pending', :due_at, :input_hash, :now, :deadline_at, :deadline_at, :parent)
ON CONFLICT (id) DO NOTHING;
