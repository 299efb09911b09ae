-- The workers whose lease ran out, but for those that another is reaping. They can renew it no more.
SELECT n, id FROM stent.workers WHERE ended_at IS NULL AND lease_until <= clock_timestamp() ORDER BY n FOR UPDATE SKIP LOCKED;
