-- What a report says in sentences.
ALTER TABLE kaireon.report_runs ADD COLUMN narrative_output text;
