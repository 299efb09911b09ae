-- Forgets workers that ended long ago: a day after its end a worker is listed no more, but for some time an execution still
-- tells who ran it.
DELETE FROM stent.workers WHERE ended_at <= clock_timestamp() - interval '30 days';
