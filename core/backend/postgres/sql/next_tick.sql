-- The time, when the next tick of a schedule is that has not come, and whether one has.
SELECT m.at, (SELECT min(next_at) FROM stent.schedules WHERE next_at > m.at), EXISTS (SELECT FROM stent.schedules WHERE next_at <= m.at)
FROM (SELECT clock_timestamp() AS at) AS m;
