-- The executions of an execution's unfinished calls of workflows, but for detached ones.
SELECT child FROM tasks
WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575 AND state = 'waiting' AND kind = 'child' AND detached IS NOT 1;
