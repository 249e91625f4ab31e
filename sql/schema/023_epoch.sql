-- Holding an epoch (FOR SHARE) asks for a right to update.

GRANT UPDATE (changed_at) ON kaireon.config_epochs TO kaireon_worker;
