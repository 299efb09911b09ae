-- Notes who did what to a dead letter.
INSERT INTO audit (at, actor, action, execution_id, seq, detail)
VALUES (:now, :actor, :action, :execution_id, :seq, :detail);
