-- Workers by state, but for those that stopped. One whose lease is over is dead, whether or not others have said so.
-- $1 now
SELECT CASE WHEN ended_at IS NULL AND lease_until <= $1 THEN 'dead' ELSE state END, count(*)
FROM stent.workers WHERE state <> 'stopped' GROUP BY 1;
