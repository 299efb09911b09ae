-- Dead letters, newest first, after the one at a place, also if that is gone. Filters that are NULL choose all.
-- $1 and $2 after execution and place, $3 the same execution as text, $4 execution, $5 step, $6 queue, $7 most,
-- $8 workflow, $9 moved since, $10 moved before, $11 before the one of that number
SELECT n, execution_id, coalesce(alias, execution_id::text), seq, workflow, step, kind, queue, nullif(tags, '')::text[], attempts, crashes, reason, failure, trace_id, moved_at, place
FROM stent.dead_letters
WHERE ($1::uuid IS NULL OR n < coalesce(
          (SELECT d.n FROM stent.dead_letters AS d WHERE d.execution_id = $1 AND d.seq = $2::integer),
          (SELECT max(a.letter) FROM stent.audit AS a WHERE a.execution_id = $3::text AND a.seq = $2)))
  AND ($4::uuid IS NULL OR execution_id = $4)
  AND ($5::text IS NULL OR step = $5)
  AND ($6::text IS NULL OR queue = $6)
  AND ($8::text IS NULL OR workflow = $8)
  AND ($9::timestamptz IS NULL OR moved_at >= $9)
  AND ($10::timestamptz IS NULL OR moved_at < $10)
  AND ($11::bigint IS NULL OR n < $11)
ORDER BY n DESC
LIMIT $7;
