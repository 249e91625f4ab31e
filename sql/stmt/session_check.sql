-- session_check: does this session still live?
-- params:
-- result: one_row (lives bool)
-- role: worker
-- access: read
SELECT true;
