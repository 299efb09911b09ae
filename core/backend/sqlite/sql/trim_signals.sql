-- Deletes signals that former runs have consumed, when nobody can be sending them a second time any more.
DELETE FROM signals
WHERE seq IN (SELECT seq FROM signals
              WHERE n = :n AND consumed_by <= (SELECT base FROM executions WHERE n = :n) AND sent_at < :before
              LIMIT :most);
