-- audit_bounds: where the tenant's audit chain begins and ends, and the numbers of the
-- rows to look at: the newest, or those of a time, with the hash before the first.
-- params: newest int8, from_time timestamptz, to_time timestamptz
-- result: zero_or_one (seq int8, hash text, anchor_seq int8, anchor_hash text, anchor_count int8, from_seq int8, to_seq int8, before_hash text)
-- role: api, owner, worker
-- access: read
SELECT h.seq, h.hash, h.anchor_seq, h.anchor_hash, h.anchor_count, s.from_seq, s.to_seq,
       CASE WHEN s.from_seq = h.anchor_seq + 1 THEN h.anchor_hash
       ELSE (SELECT b.hash FROM kaireon.audit_logs AS b
             WHERE b.tenant_id = kaireon.tenant_id() AND b.seq = s.from_seq - 1
             ORDER BY b.id LIMIT 1) END
FROM kaireon.audit_heads AS h,
LATERAL (
	SELECT CASE WHEN $2::timestamptz IS NOT NULL OR $3::timestamptz IS NOT NULL THEN
	            coalesce((SELECT min(a.seq) FROM kaireon.audit_logs AS a
	                      WHERE a.tenant_id = kaireon.tenant_id()
	                        AND a.created_at >= coalesce($2::timestamptz, '-infinity')
	                        AND a.created_at <= coalesce($3::timestamptz, 'infinity')), h.seq + 1)
	       WHEN $1::int8 > 0 THEN greatest(h.anchor_seq, h.seq - $1::int8) + 1
	       ELSE h.anchor_seq + 1 END AS from_seq,
	       CASE WHEN $3::timestamptz IS NOT NULL THEN
	            coalesce((SELECT max(a.seq) FROM kaireon.audit_logs AS a
	                      WHERE a.tenant_id = kaireon.tenant_id()
	                        AND a.created_at <= $3::timestamptz), 0)
	       ELSE 9223372036854775807 END AS to_seq) AS s
WHERE h.tenant_id = kaireon.tenant_id();
