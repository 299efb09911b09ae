-- Sends a note with the transaction that has made due what it tells of. Its lanes begin laneSlack of notify.go before that.
-- $1 the channel, $2 the note without its end
SELECT pg_notify($1, $2 || ',"since":' || to_json(now() - interval '10 milliseconds')::text || '}');
