-- When the next tick of a schedule is, after a time.
SELECT min(next_at) FROM schedules WHERE next_at > :after;
