-- Until when the leases of the workers hold.
SELECT id, lease_until FROM workers WHERE ended_at IS NULL;
