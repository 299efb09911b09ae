-- Keeps what a running activity says of how far it is.
UPDATE tasks SET detail = :detail WHERE id = (:n << 20 | :seq) AND token = :token AND state = 'running';
