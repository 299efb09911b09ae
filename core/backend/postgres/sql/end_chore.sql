-- Gives a chore up until it is due again.
-- $1 name, $2 worker, $3 microseconds until then
UPDATE stent.chores SET worker = NULL, due_at = clock_timestamp() + $3::bigint * interval '1 microsecond' WHERE name = $1 AND worker = $2;
