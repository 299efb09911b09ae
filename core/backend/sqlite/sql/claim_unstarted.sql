-- How many executions of a list were never claimed before, which a claim makes running. keys is a JSON list.
SELECT count(*) FROM executions WHERE n IN (SELECT value FROM json_each(:keys)) AND state = 'pending';
