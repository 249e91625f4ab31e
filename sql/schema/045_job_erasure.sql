-- What jobs failed of names customers, too.
GRANT UPDATE (errors) ON kaireon.jobs TO kaireon_api;
