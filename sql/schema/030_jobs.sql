-- Room in the pages of the queue.

-- Every job is written twice, when it is made and when it is claimed. The second version
-- finds room beside the first, so it needs no entry in any index; half of what a claim
-- touched was for those.
ALTER TABLE kaireon.jobs SET (fillfactor = 50);
