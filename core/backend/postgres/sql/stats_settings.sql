-- Has the counts that follow read from indexes alone, whatever the statistics say: how much history there is must make no
-- difference to them.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
