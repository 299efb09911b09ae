-- Failed, timed out and cancelled executions are found without a look at the others.
--
-- Neither column changes when an execution completes: a predicate on the state would have each completion write to all
-- indexes of the table, since an update is in place (HOT) only if no column that an index mentions changes.
CREATE INDEX executions_unsuccessful ON stent.executions (created_at, id) WHERE failure IS NOT NULL OR cancel_requested_at IS NOT NULL;
