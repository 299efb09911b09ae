-- Counts the last crash of orchestrators that are about to be buried.
-- $1 id
UPDATE stent.executions SET crashes = coalesce(crashes, 0) + 1 WHERE id = ANY ($1::uuid[]);
