-- Deletes failed attempts of former runs, but for those of dead letters.
DELETE FROM failures
WHERE n IN (SELECT f.n FROM failures AS f
            WHERE f.execution_id = :execution_id AND f.seq BETWEEN 1 AND (SELECT base FROM executions WHERE n = :n)
              AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.execution_id = f.execution_id AND d.seq = f.seq)
            LIMIT :most);
