title "pools on the network"
# as on an application host of several, but by the loopback
listen() {
	local pool=$1
	shift
	mkdir -p "/etc/systemd/system/kaireon-$pool.socket.d"
	printf '[Socket]\nListenStream=\nListenStream=%s\n' "$@" >"/etc/systemd/system/kaireon-$pool.socket.d/network.conf"
}
# as the installation page says
pools=$(sed -n "s/^systemctl stop \(kaireon-api.socket .*\)$/\1/p" installation.md)
listen api 127.0.0.1:9101
listen cron 127.0.0.1:9102
step "systemctl daemon-reload && systemctl stop $pools && systemctl start kaireon.target"
cp /etc/kaireon/kaireon.env /tmp/options
printf 'API_SERVERS="127.0.0.1:9101"\nCRON_SERVERS="127.0.0.1:9102"\n' >>/etc/kaireon/kaireon.env
step "kaireonctl setup --server-name offers.test --tenant acme --workers 2 | grep ready"
step "systemctl show -P Listen kaireon-api.socket kaireon-cron.socket"
check "requests are served" 'api $site/api/v1/runs'
check "by that address" 'tail -n 1 /var/log/nginx/kaireon-access.log | jq -e ".upstream == \"127.0.0.1:9101\""'
check "and calls of the clock" 'kaireonctl cron run tick'
check "a peer that is gone is noticed: connections are probed" \
	'exec 3<>/dev/tcp/127.0.0.1/9101; ss -Htno sport = :9101 | grep -q "timer:(keepalive,"; exec 3>&-'
check "the API pool itself has no network still" 'nsenter -n -t "$(systemctl show -P MainPID kaireon-api.service)" ip -o link | grep -v ": lo:" | wc -l | grep -qx 0'
cp /tmp/options /etc/kaireon/kaireon.env
rm -rf /etc/systemd/system/kaireon-api.socket.d /etc/systemd/system/kaireon-cron.socket.d
step "systemctl daemon-reload && systemctl stop $pools && systemctl start kaireon.target"
step "kaireonctl setup --server-name offers.test --tenant acme --workers 2 | grep ready"
check "and by the unix sockets again" 'api $site/api/v1/runs && tail -n 1 /var/log/nginx/kaireon-access.log | jq -e ".upstream == \"unix:/run/kaireon/api.sock\""'

title "a pooler"
# the page's configuration, for the server that is here
sed -n '/^\[databases\]/,/^```/p' installation.md | grep -v '^```' |
	sed 's/^kaireon = .*/kaireon = host=\/var\/run\/postgresql/' >/etc/pgbouncer/pgbouncer.ini
: >/etc/pgbouncer/userlist.txt
step "cat /etc/pgbouncer/pgbouncer.ini; systemctl restart pgbouncer.service"
cp /etc/kaireon/secrets/DATABASE_URL /tmp/direct
rm /etc/kaireon/secrets/DATABASE_URL
setup="kaireonctl setup --server-name offers.test --tenant acme --workers 2 --api-host /run/postgresql --api-port 6432"
check "a role that the pooler does not know yet: setup says so" '! $setup && $setup 2>&1 | grep "the pooler.s configuration"'
step "runuser -u postgres -- psql -qXAtc \"SELECT format('\\\"%s\\\" \\\"%s\\\"', rolname, rolpassword) FROM pg_authid WHERE rolname = 'kaireon_api'\" >/etc/pgbouncer/userlist.txt && systemctl reload pgbouncer.service"
step "$setup"
check "the pooler was seen" 'grep -x DATABASE_PREPARE=off /etc/kaireon/kaireon.env'
check "requests go through it" 'api $site/api/v1/runs && nsenter -n -t "$(systemctl show -P MainPID kaireon-api.service)" ss -Hx state established | grep -q /run/postgresql/.s.PGSQL.6432'
check "doctor is content" 'kaireonctl doctor'
sed -i /^DATABASE_PREPARE=/d /etc/kaireon/kaireon.env
grep -o "password=.*" /etc/kaireon/secrets/DATABASE_URL >/tmp/password
sed "s/password=.*/$(cat /tmp/password)/" /tmp/direct >/etc/kaireon/secrets/DATABASE_URL
systemctl restart kaireon-api.service
systemctl stop pgbouncer.service
check "and without it again" 'until_true 20 "api $site/api/v1/runs"'
