-- Extends a worker's lease.
UPDATE workers SET state = :state, used = :used, renewed_at = :now, lease_until = :lease_until
WHERE id = :worker_id AND ended_at IS NULL;
