# Steps of a transcript. Sourced by the parts of the test.

failed=0

title() { printf '\n## %s\n' "$*"; }

# step COMMAND: shown as a person would type it, with what it says
step() {
	printf '\n$ %s\n' "$1"
	eval "$1" 2>&1 || {
		echo "FAILED with status $?"
		failed=$((failed + 1))
	}
}

# check WHAT COMMAND: one line
check() {
	if eval "$2" >/tmp/check.out 2>&1; then
		echo "ok: $1"
	else
		echo "NOT OK: $1"
		sed 's/^/  /' /tmp/check.out
		failed=$((failed + 1))
	fi
}

# until_true SECONDS COMMAND
until_true() {
	local end=$((SECONDS + $1))
	until eval "$2" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

site=https://offers.test
api() { curl -sS --fail-with-body --max-time 30 --cacert /etc/kaireon/certificate.pem -H "X-API-Key: $key" "$@"; }

# begin_load: requests one after the other, every answer's status in a file,
# until end_load. By HTTP/1.1: a reload of nginx tells a client of HTTP/2 that has
# just connected to come again, which browsers do and curl does not.
begin_load() {
	rm -f /tmp/load.stop /tmp/load.[0-9]
	for i in 1 2 3; do
		(while [ ! -e /tmp/load.stop ]; do
			curl -sS --http1.1 -o /dev/null -w '%{http_code}\n' --max-time 30 --cacert /etc/kaireon/certificate.pem \
				-H "X-API-Key: $key" "$site/api/v1/runs" 2>&1
		done >/tmp/load.$i) &
	done
	until_true 30 "grep -q 200 /tmp/load.1"
}

end_load() {
	touch /tmp/load.stop
	wait
	echo "$(cat /tmp/load.? | grep -c '^200$') requests answered, $(cat /tmp/load.? | grep -vc '^200$') failed"
	cat /tmp/load.? | grep -v '^200$' | sort | uniq -c | head -5
	! cat /tmp/load.? | grep -qv '^200$'
}
