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
	'[ "$(find /var/lib/kaireon/exports -name "batch-*.json" -exec cat {} + | wc -l)" = "$(api $site/api/v1/runs/$campaign/campaign-runs/$run | jq .summary.decisions)" ]'
rm -rf /etc/systemd/system/kaireon-cron-*.timer.d
systemctl daemon-reload
