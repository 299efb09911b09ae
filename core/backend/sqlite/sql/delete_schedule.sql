-- Deletes a schedule; what it began goes on.
DELETE FROM schedules WHERE name = :name;
