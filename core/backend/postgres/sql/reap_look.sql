-- Whether there is anything to reap: leases that ran out, and ended workers to forget.
SELECT EXISTS (
    SELECT FROM stent.workers
    WHERE ended_at IS NULL AND lease_until <= clock_timestamp() OR ended_at <= clock_timestamp() - interval '30 days');
