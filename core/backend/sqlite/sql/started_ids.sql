-- The ids of executions by their numbers.
SELECT n, id FROM executions WHERE n BETWEEN :first AND :last;
