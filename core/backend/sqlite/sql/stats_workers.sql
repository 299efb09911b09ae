-- Workers by state, but for those that stopped. One whose lease is over is dead, whether or not others have said so.
SELECT CASE WHEN ended_at IS NULL AND lease_until <= :now THEN 'dead' ELSE state END, count(*)
FROM workers WHERE state <> 'stopped' GROUP BY 1;
