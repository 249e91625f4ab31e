title "remove, and purge"
step "dpkg -r kaireon"
check "nothing of it runs" '! pgrep -f "kaireon-fcgi|kaireon-worker"'
check "nginx goes on without the site" 'nginx -t && systemctl is-active nginx.service'
check "secrets and data are kept" '[ -s /etc/kaireon/secrets/API_KEY_PEPPER ] && [ -d /var/lib/kaireon/runs ]'
step "dpkg -i next.deb && kaireonctl setup --server-name offers.test --tenant acme --workers 1"
check "the key works as before" 'api $site/api/v1/runs'
step "dpkg -P kaireon"
check "what setup made is gone" '[ -z "$(ls -d /etc/kaireon/kaireon.env /etc/kaireon/secrets/DATABASE_URL /etc/kaireon/certificate.pem /etc/nginx/kaireon /etc/nginx/sites-*/kaireon /etc/systemd/system/*/kaireon-[acw]* /etc/systemd/system/*/kaireon.target)" ]'
check "files of runs, exports and the database are not" \
	'[ -n "$(find /var/lib/kaireon/runs -type f)" ] && [ -n "$(find /var/lib/kaireon/exports -type f)" ] && runuser -u postgres -- psql -XAtd kaireon -c "SELECT 1 FROM kaireon.tenants" | grep -q 1'
check "the keys without which the database is of no use are kept" '[ -s /etc/kaireon/secrets/API_KEY_PEPPER ] && [ -s /etc/kaireon/secrets/CONNECTOR_ENCRYPTION_KEY ]'
step "dpkg -i next.deb && kaireonctl setup --server-name offers.test --tenant acme --workers 1"
check "an installation after the purge: the key works as before" 'api $site/api/v1/runs'
step "dpkg -P kaireon"
step "systemctl --failed --no-legend"
check "no unit has failed" '[ -z "$(systemctl --failed --no-legend --plain | grep kaireon | grep -v kaireon-system)" ]'
