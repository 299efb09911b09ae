-- Forgets workers that ended long ago.
DELETE FROM workers WHERE ended_at <= :forget_before;
