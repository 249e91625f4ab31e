title "restart, reload and kills under load"
begin_load
step "systemctl restart kaireon-api.service"
check "no request failed" end_load
begin_load
step "systemctl reload kaireon-api.service"
check "no request failed" end_load
begin_load
step "systemctl reload nginx.service"
check "no request failed" end_load
begin_load
step "systemctl restart kaireon.target"
check "no request failed" end_load
check "all runs again" "systemctl is-active kaireon-api.service kaireon-cron.service kaireon-worker@1.service kaireon-worker@2.service"

# it is killed between requests: whoever it served would see 503
killed=$(pgrep -f 'kaireon-fcgi --pool api' | tail -n 1)
step "kill -KILL $killed"
check "another process takes its place" 'until_true 10 "[ \$(pgrep -fc \"^/usr/sbin/kaireon-fcgi --pool api\") = 4 ]"'
worker=$(systemctl show -P MainPID kaireon-worker@1.service)
step "kill -KILL $worker"
check "the worker is started again" 'until_true 10 "systemctl is-active kaireon-worker@1.service && [ \$(systemctl show -P MainPID kaireon-worker@1.service) != $worker ]"'

title "doctor"
step "kaireonctl doctor"

title "the watchdog"
mkdir -p /etc/systemd/system/kaireon-worker@2.service.d
printf '[Service]\nWatchdogSec=2\n' >/etc/systemd/system/kaireon-worker@2.service.d/soon.conf
systemctl daemon-reload
systemctl restart kaireon-worker@2.service
sleep 5
check "a worker that is idle for longer than the watchdog lives" '! journalctl -b -u kaireon-worker@2.service | grep -q "Watchdog timeout"'
worker=$(systemctl show -P MainPID kaireon-worker@2.service)
step "kill -STOP $worker"
check "one that hangs is ended and started again" \
	'until_true 20 "journalctl -b -u kaireon-worker@2.service | grep -q \"Watchdog timeout\" && systemctl is-active kaireon-worker@2.service"'
rm -rf /etc/systemd/system/kaireon-worker@2.service.d
systemctl daemon-reload

title "the database goes and comes back"
step "systemctl stop postgresql.service"
is_503() { [ "$(curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kaireon/certificate.pem -H "X-API-Key: $key" $site/api/v1/runs)" = 503 ]; }
check "requests are 503" "until_true 20 is_503"
step "systemctl start postgresql.service"
check "and served again, nothing was restarted by hand" 'until_true 30 "api $site/api/v1/runs"'
