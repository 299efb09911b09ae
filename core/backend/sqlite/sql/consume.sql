-- Takes a signal for an entry of the history.
UPDATE signals SET consumed_by = :seq WHERE seq = :signal AND n = :n AND consumed_by IS NULL;
