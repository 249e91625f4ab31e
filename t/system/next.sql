-- What a next version might add; for script/test-system.
ALTER TABLE kaireon.tenants ADD COLUMN next_version_note text;
