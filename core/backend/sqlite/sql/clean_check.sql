-- Those of a list of executions that ended before a time, by state. keys is a JSON list.
SELECT n, state
FROM executions
WHERE n IN (SELECT value FROM json_each(:keys))
  AND finished_at < CASE state WHEN 'completed' THEN :completed WHEN 'failed' THEN :failed
                               WHEN 'timed_out' THEN :timed_out WHEN 'cancelled' THEN :cancelled END;
