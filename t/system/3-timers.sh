title "timers"
step "systemctl list-timers --all --no-legend 'kaireon*'"
# the timers as they are, but soon: every ten seconds
for timer in /lib/systemd/system/kaireon-cron-*.timer; do
	mkdir -p "/etc/systemd/system/$(basename "$timer").d"
	printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/10\nRandomizedDelaySec=0\nAccuracySec=1\n' >"/etc/systemd/system/$(basename "$timer").d/soon.conf"
done
systemctl daemon-reload
for timer in /lib/systemd/system/kaireon-cron-*.timer; do
	systemctl restart "$(basename "$timer")"
done
for timer in /lib/systemd/system/kaireon-cron-*.timer; do
	job=$(basename "$timer" .timer)
	job=${job#kaireon-cron-}
	check "the timer of $job fires and its call is ok" \
		"until_true 60 'journalctl -b -u kaireon-cron@$job.service | grep -q \"Finished\\|Deactivated successfully\"'"
done
step "find /var/lib/kaireon/exports -type f | head -3"
check "the export has every interaction once" \
	'[ "$(find /var/lib/kaireon/exports -path "*/year=*/batch-*.json" -exec cat {} + | wc -l)" = "$(api $site/api/v1/runs/$campaign/campaign-runs/$run | jq .summary.decisions)" ]'
rm -rf /etc/systemd/system/kaireon-cron-*.timer.d
systemctl daemon-reload
# a call that is not ok: nobody may make months any more, and one is missing
sql() { runuser -u postgres -- psql -qXAt -d kaireon -c "$1"; }
sql "DO \$\$ BEGIN EXECUTE format('DROP TABLE kaireon.audit_logs_%s', to_char(now() + interval '3 months', 'YYYY_MM')); END \$\$"
sql "REVOKE EXECUTE ON FUNCTION kaireon.partition_ensure(text, date) FROM kaireon_worker"
systemctl start kaireon-cron@cleanup.service
step "systemctl --failed --no-legend"
check "a call whose answer is not ok is a failed unit" 'systemctl is-failed kaireon-cron@cleanup.service'
sql "GRANT EXECUTE ON FUNCTION kaireon.partition_ensure(text, date) TO kaireon_worker"
check "and is well with the next that is" 'systemctl start kaireon-cron@cleanup.service && ! systemctl is-failed kaireon-cron@cleanup.service'
systemctl daemon-reload
