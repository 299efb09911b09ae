-- How the database itself stands: bytes of the schema's tables with all that belongs to them, rows that wait for vacuum, and
-- seconds since the oldest transaction of others began, as far as the user may see it.
SELECT (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class AS c
        WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'stent.executions'::regclass) AND c.relkind = 'r'),
       (SELECT coalesce(sum(s.n_dead_tup), 0)::bigint FROM pg_stat_all_tables AS s
        WHERE s.relid IN (SELECT c.oid FROM pg_class AS c
                          WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'stent.executions'::regclass) AND c.relkind = 'r')),
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0)::double precision FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid());
