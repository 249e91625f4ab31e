-- plan_by_values: this transaction's statements are planned for the values that they are
-- given: a filter that is not wanted costs nothing, one that is finds its index.
-- params:
-- result: none
-- role: api
-- access: read
SELECT FROM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
