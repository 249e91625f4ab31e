-- segment_view: make a segment's view, and count it.
-- params: id text
-- result: one_row (customers int8)
-- role: owner
-- access: write
SELECT kaireon.segment_view_create($1::text);
