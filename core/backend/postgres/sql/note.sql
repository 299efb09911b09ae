-- Adds an entry to the audit.
-- $1 actor, $2 action, $3 execution as text, $4 place, $5 subject, $6 detail
INSERT INTO stent.audit (at, actor, action, execution_id, seq, subject, detail) VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6);
