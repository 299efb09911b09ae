-- Ends executions that took longer than they may, which are locked. One that was asked to stop is cancelled.
-- $1 id, $2 failure
WITH done AS (
    UPDATE stent.executions AS e
    SET state   = CASE WHEN e.cancel_requested_at IS NULL THEN 'timed_out'::stent.state ELSE 'cancelled' END,
        failure = CASE WHEN e.cancel_requested_at IS NULL THEN u.failure::json END,
        finished_at = now(), due_at = NULL, woken = NULL, expires_at = NULL
    FROM unnest($1::uuid[], $2::text[]) AS u (id, failure)
    WHERE e.id = u.id
    RETURNING e.state
)
INSERT INTO stent.tallies (state, n) SELECT state::text, count(*) FROM done GROUP BY state;
