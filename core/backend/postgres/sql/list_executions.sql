-- The ids of the executions that were created in a span of time, newest first. Filters that are NULL choose all.
-- $1 from, $2 before, $3 and $4 after the one created then with that id, $5 states, $6 workflow, $7 queue, $8 tag, $9 most
SELECT id
FROM (SELECT *, CASE WHEN finished_at IS NOT NULL THEN state::text WHEN cancel_requested_at IS NOT NULL THEN 'cancelling'
                     WHEN started_at IS NULL THEN 'pending' ELSE 'running' END AS stands
      FROM stent.executions) AS e
WHERE created_at >= $1 AND created_at < $2
  AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
  AND ($5::text[] IS NULL OR stands = ANY ($5))
  AND ($6::text IS NULL OR workflow = $6)
  AND ($7::text IS NULL OR queue = $7)
  AND ($8::text IS NULL OR nullif(tags, '')::text[] @> ARRAY[$8])
ORDER BY created_at DESC, id DESC
LIMIT $9;
