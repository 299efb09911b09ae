-- Prepares a transaction of the engine. Its statements look rows up by key, so their plans do not depend on the
-- parameters: planning them once for all is what makes them fast, and a nested loop over index lookups is always right.
-- The first column stands for the lock of fence.sql, which is not taken here.
SELECT false,
-- include parts/settings.sql
