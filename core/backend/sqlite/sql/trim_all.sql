-- Deletes the whole history of an execution, as another run begins whose places begin with the first again.
DELETE FROM tasks WHERE id BETWEEN :n << 20 AND :n << 20 | 1048575;
