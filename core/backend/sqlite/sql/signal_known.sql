-- Tells whether a signal was delivered before.
SELECT 1 FROM signals WHERE n = :n AND id = :signal_id;
