-- The number of a dead letter, or of the last one of the task that is gone.
SELECT coalesce((SELECT n FROM dead_letters WHERE execution_id = :execution_id AND seq = :seq),
                (SELECT max(letter) FROM audit WHERE execution_id = :execution_id AND seq = :seq));
