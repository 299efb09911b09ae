-- The queues nothing may be claimed from.
SELECT name FROM queues WHERE paused;
