-- A worker that finds no job at all knows where the next ones will begin.
GRANT SELECT ON SEQUENCE kaireon.jobs_seq_seq TO kaireon_worker;
