-- Decisions that wait name customers, too.

-- An erasure begins when no run is under way: what waits then is left of runs that ended
-- without a result, and goes before the job that would remove it.
GRANT SELECT, DELETE ON kaireon.campaign_run_packs, kaireon.campaign_run_allocations TO kaireon_api;
