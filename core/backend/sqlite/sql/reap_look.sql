-- Whether there is anything to reap: leases that ran out, and ended workers to forget.
SELECT EXISTS (SELECT 1 FROM workers WHERE ended_at IS NULL AND lease_until <= :now OR ended_at <= :forget_before);
