title "install"
step "systemctl is-system-running | grep -xE 'running|starting'"
step "dpkg -i this.deb"
step "ls -l /etc/kaireon/secrets"
check "secrets are root's alone" '[ "$(stat -c %a-%U /etc/kaireon/secrets /etc/kaireon/secrets/* | sort -u | tr "\n" " ")" = "600-root 700-root " ]'
check "nothing runs before setup" '! systemctl is-active kaireon-api.service kaireon-cron.service kaireon-api.socket'

title "set up"
step "kaireonctl setup --dry-run --server-name offers.test --tenant acme"
step "kaireonctl setup --server-name offers.test --tenant acme --tenant-name Acme --workers 2 | tee /tmp/setup.out"
key=$(sed -n 's/^  \(krn_[^ ]*\)$/\1/p' /tmp/setup.out)
step "kaireonctl setup --server-name offers.test --tenant acme --tenant-name Acme --workers 2"
step "systemctl list-units --all --plain --no-legend 'kaireon*'"
for unit in kaireon-api.service kaireon-cron.service kaireon-worker@1.service kaireon-worker@2.service; do
	check "$unit is active" "systemctl is-active $unit"
	check "$unit: nothing was ignored" "! journalctl -b -u $unit | grep -iE 'ignoring|unknown key|invalid syntax'"
done
step "systemd-analyze security --no-pager | grep kaireon"
check "the API pool has no network" 'nsenter -n -t "$(systemctl show -P MainPID kaireon-api.service)" ip -o link | grep -v ": lo:" | wc -l | grep -qx 0'
check "nginx may read files of runs and nothing else of ours" \
	'! runuser -u www-data -- ls /var/lib/kaireon && ! runuser -u www-data -- cat /etc/kaireon/secrets/CRON_SECRET && runuser -u www-data -- ls /var/lib/kaireon/runs'
