-- The custom state of an execution.
SELECT name, value FROM custom_state WHERE n = :n ORDER BY name;
