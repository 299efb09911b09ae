-- Gives a task of an ended worker back to its queue.
UPDATE tasks SET state = 'pending', due_at = :now, crashes = crashes + :crashes, claimed_by = NULL, start_by = :now + start_within
WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
