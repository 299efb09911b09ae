-- Gives the tasks of picked_tasks to the worker.
claimed_tasks AS (
    UPDATE stent.tasks AS t
    SET state = 'running', due_at = NULL, worker = $1, claimed_by = $1, token = t.token + 1,
        created_at = coalesce(t.created_at, t.started_at), started_at = statement_timestamp(), start_by = NULL
    FROM picked_tasks AS p
    WHERE t.ctid = p.at
    RETURNING t.*, p.due_at AS was_due
),
