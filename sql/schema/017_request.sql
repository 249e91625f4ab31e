-- What accompanies a request: rate limits, answers kept for a repetition,
-- scopes and last use of keys.

-- One row a tenant and limited route: the moments of the calls in its window.
-- Whoever takes a call locks the row, so calls of all hosts queue up here.
DROP TABLE kaireon.rate_limit_hits;
CREATE TABLE kaireon.rate_limit_hits (
	tenant_id text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	name      text COLLATE "C" NOT NULL, -- of the limit
	hits      timestamptz[] NOT NULL,    -- oldest first
	accepted  boolean NOT NULL,          -- was the last call one of them?
	PRIMARY KEY (tenant_id, name),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
) WITH (fillfactor = 50); -- updates stay on their page
SELECT kaireon.tenant_wall('kaireon.rate_limit_hits');
GRANT SELECT, INSERT, UPDATE ON kaireon.rate_limit_hits TO kaireon_api, kaireon_worker;

-- A row is inserted before the effect and committed with it, so one that is
-- seen has its answer.
ALTER TABLE kaireon.idempotency_keys
	ALTER COLUMN response TYPE text USING pg_catalog.convert_from(response, 'UTF8'),
	ADD COLUMN content_type text,
	ADD COLUMN role text; -- of the caller
CREATE INDEX idempotency_keys_age ON kaireon.idempotency_keys (created_at);
GRANT SELECT, INSERT, UPDATE ON kaireon.idempotency_keys TO kaireon_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON kaireon.idempotency_keys TO kaireon_worker;

ALTER TABLE kaireon.api_keys
	ADD COLUMN revoked_reason text,
	ADD CONSTRAINT scopes_listed CHECK (jsonb_typeof(scopes) = 'array');
GRANT SELECT (scopes, revoked_reason), INSERT (tenant_id, id, name, role, key_hash, prefix, scopes, expires_at),
	UPDATE (revoked_at, revoked_reason) ON kaireon.api_keys TO kaireon_api;

-- Authentication, with scopes: a key that has any may call only the routes
-- that they name, by the route's name ("gitops.export") or its noun ("gitops").
-- Also says whether the key's last use is to be noted.
DROP FUNCTION kaireon.authenticate(bytea, text);
CREATE FUNCTION kaireon.authenticate(key_hash bytea, minimum_role text, route text,
	OUT tenant_id text, OUT role text, OUT key_id text, OUT key_name text,
	OUT epoch bigint, OUT use_unnoted boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant_status text;
	key_scopes jsonb;
BEGIN
	SELECT k.tenant_id, k.role, k.id, k.name, e.epoch, t.status, k.scopes,
	       k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'
	INTO authenticate.tenant_id, authenticate.role, key_id, key_name,
	     authenticate.epoch, tenant_status, key_scopes, use_unnoted
	FROM kaireon.api_keys AS k
	JOIN kaireon.tenants AS t ON t.tenant_id = k.tenant_id
	JOIN kaireon.config_epochs AS e ON e.tenant_id = k.tenant_id
	WHERE k.key_hash = authenticate.key_hash
	  AND k.revoked_at IS NULL
	  AND (k.expires_at IS NULL OR k.expires_at > now());
	IF NOT FOUND THEN
		RAISE EXCEPTION 'a valid API key is required' USING ERRCODE = 'KR401';
	END IF;
	IF tenant_status <> 'active' THEN
		RAISE EXCEPTION 'the tenant is suspended' USING ERRCODE = 'KR403';
	END IF;
	IF kaireon.role_rank(authenticate.role) < kaireon.role_rank(minimum_role) THEN
		RAISE EXCEPTION 'this needs the role %', minimum_role
			USING ERRCODE = 'KR403';
	END IF;
	IF key_scopes <> '[]'
	   AND NOT key_scopes ?| ARRAY[route, split_part(route, '.', 1)] THEN
		RAISE EXCEPTION 'the key''s scopes do not allow this' USING ERRCODE = 'KR403';
	END IF;
	PERFORM set_config('kaireon.tenant_id', authenticate.tenant_id, true);
END
$$;
REVOKE ALL ON FUNCTION kaireon.authenticate(bytea, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.authenticate(bytea, text, text) TO kaireon_api, kaireon_worker;

-- A key was used: noted at most once a minute.
CREATE FUNCTION kaireon.apikey_used(used_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE kaireon.api_keys AS k
	SET last_used_at = now()
	WHERE k.key_hash = used_hash AND k.revoked_at IS NULL
	  AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute')
$$;
REVOKE ALL ON FUNCTION kaireon.apikey_used(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.apikey_used(bytea) TO kaireon_api, kaireon_worker;
