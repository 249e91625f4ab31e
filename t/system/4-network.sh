title "pools on the network"
# as on an application host of several, but by the loopback
listen() {
	local pool=$1
	shift
	mkdir -p "/etc/systemd/system/kaireon-$pool.socket.d"
	printf '[Socket]\nListenStream=\nListenStream=%s\n' "$@" >"/etc/systemd/system/kaireon-$pool.socket.d/network.conf"
}
listen api 127.0.0.1:9101
listen cron 127.0.0.1:9102
step "systemctl daemon-reload && systemctl stop kaireon.target && systemctl start kaireon.target"
step "API_SERVERS=127.0.0.1:9101 CRON_SERVERS=127.0.0.1:9102 kaireonctl setup --server-name offers.test --tenant acme --workers 2 | grep ready"
step "systemctl show -P Listen kaireon-api.socket kaireon-cron.socket"
check "requests are served" 'api $site/api/v1/runs'
check "by that address" 'tail -n 1 /var/log/nginx/kaireon-access.log | jq -e ".upstream == \"127.0.0.1:9101\""'
check "and calls of the clock" 'kaireonctl cron run tick'
check "a peer that is gone is noticed: connections are probed" \
	'exec 3<>/dev/tcp/127.0.0.1/9101; ss -Htno sport = :9101 | grep -q "timer:(keepalive,"; exec 3>&-'
check "the API pool itself has no network still" 'nsenter -n -t "$(systemctl show -P MainPID kaireon-api.service)" ip -o link | grep -v ": lo:" | wc -l | grep -qx 0'
rm -rf /etc/systemd/system/kaireon-api.socket.d /etc/systemd/system/kaireon-cron.socket.d
step "systemctl daemon-reload && systemctl stop kaireon.target && systemctl start kaireon.target"
step "kaireonctl setup --server-name offers.test --tenant acme --workers 2 | grep ready"
check "and by the unix sockets again" 'api $site/api/v1/runs && tail -n 1 /var/log/nginx/kaireon-access.log | jq -e ".upstream == \"unix:/run/kaireon/api.sock\""'
