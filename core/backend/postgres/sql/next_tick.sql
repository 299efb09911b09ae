-- The time, and when the next tick of a schedule is.
SELECT m.at, (SELECT min(next_at) FROM stent.schedules WHERE next_at > m.at) FROM (SELECT clock_timestamp() AS at) AS m;
