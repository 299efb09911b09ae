-- Locks executions in the order of their ids, before a transaction changes them in several statements, so that no two
-- transactions wait for each other.
-- $1 id
SELECT count(*) FROM (SELECT FROM stent.executions WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) AS locked;
