-- How many pages the table of executions has, and whether the server can read a part of it by its place.
-- $1 schema
SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint, current_setting('server_version_num')::integer >= 140000
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = 'executions';
