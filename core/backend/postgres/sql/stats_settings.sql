-- Has the counts that follow read from indexes alone, whatever the statistics say: how much history there is must make no
-- difference to them. Switching scans off makes the planner's costs absurd, for which the server would compile the
-- statement at each run, which takes longer than the counting.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true);
