-- Reads the signals of an execution that nothing has consumed.
SELECT seq, id, name, payload, sent_at FROM signals WHERE n = :n AND consumed_by IS NULL ORDER BY seq;
