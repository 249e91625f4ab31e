-- approval_list: a page of the approvals of a status, newest first, below the cursor.
-- params: status text, limit int8, cursor text
-- result: one_row (document text)
-- role: api
-- access: read
SELECT coalesce(pg_catalog.json_agg(kaireon.approval_document(p.approval) ORDER BY p.id DESC), '[]')::text
FROM (SELECT a AS approval, a.id
      FROM kaireon.approvals AS a
      WHERE a.tenant_id = kaireon.tenant_id() AND a.status = $1::text
        AND ($3::text = '' OR a.id < $3::text)
      ORDER BY a.id DESC
      LIMIT $2::int8) AS p;
