-- Prepares a transaction of the engine. Its statements look rows up by key, so their plans do not depend on the
-- parameters: planning them once for all is what makes them fast, and a nested loop over index lookups is always right.
SELECT now(),
       set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true),
       set_config('enable_bitmapscan', 'off', true),
       set_config('enable_seqscan', 'off', true),
       set_config('jit', 'off', true);
