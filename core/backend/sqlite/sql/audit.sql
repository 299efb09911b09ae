-- Notes what somebody did.
INSERT INTO audit (at, actor, action, execution_id, seq, subject, detail, letter)
VALUES (:now, :actor, :action, :execution_id, :seq, :subject, :detail, :letter);
