title "upgrade under load"
before=$(runuser -u postgres -- psql -XAtd kaireon -c 'SELECT max(number) FROM kaireon.schema_migrations')
begin_load
step "dpkg -i next.deb"
check "no request failed" end_load
check "the schema is the next one's" '[ "$(runuser -u postgres -- psql -XAtd kaireon -c "SELECT max(number) FROM kaireon.schema_migrations")" -gt "$before" ]'
check "the processes are the next one's" '! ls -l /proc/[0-9]*/exe 2>/dev/null | grep "kaireon.*deleted"'
check "ready" 'until_true 20 "curl -fsS --cacert /etc/kaireon/certificate.pem $site/readyz"'
check "secrets, options and data are as they were" 'api $site/api/v1/runs/$campaign/campaign-runs/$run | jq -e ".status == \"completed\""'
