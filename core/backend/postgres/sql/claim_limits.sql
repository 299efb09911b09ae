-- Takes the locks of activities of which only so many may run at once, as far as no other claim has them, and notes for
-- claim.sql which it got. A statement of its own, so that claim.sql sees what the locks' last holders did.
-- $1 the schema's class of locks, $2 the activities
SELECT set_config('stent_claim.locked', coalesce((
    SELECT array_agg(s.step)::text FROM unnest($2::text[]) AS s (step) WHERE pg_try_advisory_xact_lock($1::integer, hashtext(s.step))
), '{}'), true);
