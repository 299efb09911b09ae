-- The counters of an execution.
SELECT name, value FROM counters WHERE n = :n ORDER BY name;
