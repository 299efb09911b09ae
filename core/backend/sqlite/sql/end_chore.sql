-- Gives a chore up until it is due again.
UPDATE chores SET worker = NULL, due_at = :due_at WHERE name = :name AND worker = :worker_id;
