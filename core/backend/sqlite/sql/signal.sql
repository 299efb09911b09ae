-- Delivers a signal, unless it was delivered before.
INSERT INTO signals (n, id, name, payload, sent_at)
VALUES (:n, :signal_id, :name, :payload, :now)
ON CONFLICT (n, id) DO NOTHING;
