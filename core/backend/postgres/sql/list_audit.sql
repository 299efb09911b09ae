-- What people did, newest first. Filters that are NULL choose all.
-- $1 before, $2 actor, $3 action, $4 execution, $5 place, $6 subject, $7 since, $8 most
SELECT n, at, actor, action, execution_id, seq, subject, detail
FROM stent.audit
WHERE ($1::bigint IS NULL OR n < $1)
  AND ($2::text IS NULL OR actor = $2)
  AND ($3::text IS NULL OR action = $3)
  AND ($4::text IS NULL OR execution_id = $4)
  AND ($5::integer IS NULL OR seq = $5)
  AND ($6::text IS NULL OR subject = $6)
  AND ($7::timestamptz IS NULL OR at >= $7)
ORDER BY n DESC
LIMIT $8;
