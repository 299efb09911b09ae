-- Whether a worker may still write.
SELECT state FROM workers WHERE id = :worker_id;
