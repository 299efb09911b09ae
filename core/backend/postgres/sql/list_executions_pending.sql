-- As list_executions, where only executions are wanted that no worker has begun: they are due, now or later, and no other
-- is looked at.
-- $1 from, $2 before, $3 and $4 after the one created then with that id, $5 states, $6 workflow, $7 queue, $8 tag, $9 most
SELECT id
FROM stent.executions
WHERE due_at IS NOT NULL AND started_at IS NULL AND cancel_requested_at IS NULL AND 'pending' = ANY ($5::text[])
  AND created_at >= $1 AND created_at < $2
  AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
  AND ($6::text IS NULL OR workflow = $6)
  AND ($7::text IS NULL OR queue = $7)
  AND ($8::text IS NULL OR nullif(tags, '')::text[] @> ARRAY[$8])
ORDER BY created_at DESC, id DESC
LIMIT $9;
