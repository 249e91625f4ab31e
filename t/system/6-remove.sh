title "remove, and purge"
step "dpkg -r kaireon"
check "nothing of it runs" '! pgrep -f "kaireon-fcgi|kaireon-worker"'
check "nginx goes on without the site" 'nginx -t && systemctl is-active nginx.service'
check "secrets and data are kept" '[ -s /etc/kaireon/secrets/API_KEY_PEPPER ] && [ -d /var/lib/kaireon/runs ]'
step "dpkg -i next.deb && kaireonctl setup --server-name offers.test --tenant acme --workers 1"
check "the key works as before" 'api $site/api/v1/runs'
step "dpkg -P kaireon"
check "what setup made is gone" '! ls -d /etc/kaireon /etc/nginx/kaireon /etc/nginx/sites-enabled/kaireon /etc/systemd/system/*/kaireon*'
check "files of runs, exports and the database are not" \
	'[ -n "$(find /var/lib/kaireon/runs -type f)" ] && [ -n "$(find /var/lib/kaireon/exports -type f)" ] && runuser -u postgres -- psql -XAtd kaireon -c "SELECT 1 FROM kaireon.tenants" | grep -q 1'
step "systemctl --failed --no-legend"
check "no unit has failed" '[ -z "$(systemctl --failed --no-legend --plain | grep kaireon | grep -v kaireon-system)" ]'
