-- The workers whose lease ran out.
SELECT id FROM workers WHERE ended_at IS NULL AND lease_until <= :now ORDER BY n;
