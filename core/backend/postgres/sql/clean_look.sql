-- Executions in a part of the table that ended longer ago than they are kept, and how long their histories are.
-- $1 after this row, $2 before that, $3 states, $4 microseconds that each is kept, $5 most
SELECT f.place::text, f.id, f.state::text, coalesce((SELECT max(t.seq) FROM stent.tasks AS t WHERE t.execution_id = f.id), 0)
FROM (SELECT e.ctid AS place, e.id, e.state
      FROM stent.executions AS e
      WHERE e.ctid > $1::tid AND e.ctid < $2::tid
        AND e.finished_at < clock_timestamp() - ($4::bigint[])[array_position($3::text[], e.state::text)] * interval '1 microsecond'
      ORDER BY e.ctid
      LIMIT $5) AS f;
