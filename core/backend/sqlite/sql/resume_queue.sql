-- Lets tasks be claimed from a queue again.
DELETE FROM queues WHERE name = :queue AND paused;
