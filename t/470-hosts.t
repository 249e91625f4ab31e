#!/usr/bin/perl
# Several hosts, as network namespaces: a database, two application hosts with a
# pooler, a pool and a worker each, and nginx. A host is cut off and killed in
# the middle of runs and requests, twice; nothing is lost, nothing happens twice.
use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Campaign;
use Kaireon::Stack;

plan skip_all => 'only root may make network namespaces' if $> != 0;
plan skip_all => 'PgBouncer is not installed here' if !-x '/usr/sbin/pgbouncer';
plan skip_all => 'network namespaces cannot be made here'
	if system('unshare -n ip link add krn type bridge >/dev/null 2>&1') != 0;

# name => address, behind a bridge in a namespace of its own
my %address = (db => '10.213.7.2', app1 => '10.213.7.11', app2 => '10.213.7.12', web => '10.213.7.20');
my $prefix = "krn$$";
sub space { return "$prefix-$_[0]" }
sub ip { system('ip', @_) == 0 or die "ip @_" }
END {
	my $status = $?;
	if ($prefix && $> == 0) {
		system("ip netns del $prefix-$_ 2>/dev/null") for keys %address, 'switch';
	}
	$? = $status;
}
ip(qw(netns add), space('switch'));
ip('-n', space('switch'), qw(link add bridge type bridge));
ip('-n', space('switch'), qw(link set bridge up));
for my $host (sort keys %address) {
	ip(qw(netns add), space($host));
	ip('-n', space('switch'), qw(link add), $host, qw(type veth peer name eth0 netns), space($host));
	ip('-n', space('switch'), qw(link set), $host, qw(master bridge up));
	ip('-n', space($host), qw(link set lo up));
	ip('-n', space($host), qw(addr add), "$address{$host}/24", qw(dev eth0));
	ip('-n', space($host), qw(link set eth0 up));
}
sub on { my ($host, @command) = @_; return ('ip', 'netns', 'exec', space($host), @command) }

# the database's host
my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 50, WORKER_LEASE_SECONDS => 3 });
my $dir = $stack->{dir};
$stack->stop_postgres;
$stack->system_ok("echo 'host all all 10.213.7.0/24 trust' >>$dir/pg/pg_hba.conf");
is(system(on('db', 'runuser', '-u', 'postgres', '--', "$stack->{pg_bin}/pg_ctl", '-D', "$dir/pg", '-w', '-s', '-l', "$dir/pg.log", '-o',
	"-c listen_addresses=$address{db} -c unix_socket_directories=$dir/sock -c fsync=off", 'start')), 0, 'the database listens on its network') or diag $stack->slurp("$dir/pg.log");
# what sql/roles.sql sets, only sooner
for my $role (qw(kaireon_api kaireon_worker)) {
	my $set = $stack->query('postgres', "SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting WHERE setrole = '$role'::regrole", 'postgres');
	like($set, qr/\b\Q$_\E=[1-9]/, "$role: $_") for qw(tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count tcp_user_timeout client_connection_check_interval);
	$stack->query('postgres', "ALTER ROLE $role SET $_", 'postgres') for qw(tcp_user_timeout=3000 tcp_keepalives_idle=1 tcp_keepalives_interval=1);
}
# and what doc/installation.md advises for the host of nginx, only sooner
is(system(on('web', 'sysctl', '-q', '-w', qw(net.ipv4.tcp_keepalive_time=1 net.ipv4.tcp_keepalive_intvl=1 net.ipv4.tcp_keepalive_probes=3 net.ipv4.tcp_retries2=5))), 0, 'the host of nginx gives up on dead peers soon');

# two tenants with the same customers: one is disturbed, the other is not
$stack->pool('api', 1);
my %demo = map { $_ => Kaireon::Campaign->new($stack, $_, count => 2000) } qw(disturbed calm);
$stack->stop('api1');

sub start_pool {
	my ($host) = @_;
	my $own = "$dir/$host";
	local $stack->{settings} = { %{ $stack->{settings} }, DATABASE_PREPARE => 'off', DATABASE_URL => "host=$own port=6432 dbname=kaireon user=kaireon_api" };
	$stack->spawn("$host-api", undef, on($host, qw(spawn-fcgi -n -b 1024 -a), $address{$host}, qw(-p 9101 -- /usr/bin/multiwatch -f 2 -t 0 --), "$stack->{build}/kaireon-fcgi", '--pool', 'api'));
}

# an application host: a pooler, a pool that nginx reaches, a worker
sub start_host {
	my ($host) = @_;
	my $own = "$dir/$host";
	mkdir $own;
	$stack->spew("$own/users", qq{"kaireon_api" ""\n});
	$stack->spew("$own/pgbouncer.ini", "[databases]\nkaireon = host=$address{db}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = $own\n"
		. "auth_type = trust\nauth_file = $own/users\npool_mode = transaction\ndefault_pool_size = 4\nserver_login_retry = 1\nquery_wait_timeout = 5\n"
		. "tcp_keepidle = 15\ntcp_keepintvl = 5\ntcp_keepcnt = 3\ntcp_user_timeout = 30000\n");
	chown((getpwnam 'postgres')[2, 3], $own);
	unlink "$own/.s.PGSQL.6432";
	local $stack->{settings} = { %{ $stack->{settings} }, DATABASE_WORKER_URL => "host=$address{db} dbname=kaireon user=kaireon_worker" };
	$stack->spawn("$host-pooler", undef, on($host, qw(setpriv --reuid=postgres --regid=postgres --init-groups /usr/sbin/pgbouncer -q), "$own/pgbouncer.ini"));
	$stack->wait_for("the pooler of $host", sub { -S "$own/.s.PGSQL.6432" });
	start_pool($host);
	$stack->spawn("$host-worker", undef, on($host, "$stack->{build}/kaireon-worker"));
}

# The network goes first, then whatever ran there: nobody hears that connections
# were closed, and who connects from now on hears nothing at all.
sub kill_host {
	my ($host) = @_;
	my @pids = split ' ', `ip netns pids ${\ space($host)}`;
	ip('-n', space('switch'), qw(link set), $host, 'down');
	kill 'KILL', @pids;
	waitpid delete $stack->{pids}{"$host-$_"}, 0 for qw(pooler api worker);
}

sub revive_host {
	my ($host) = @_;
	ip('-n', space('switch'), qw(link set), $host, 'up');
	start_host($host);
}

start_host($_) for qw(app1 app2);
{
	local %ENV = (%ENV, %{ $stack->{settings} }, RUN_DIR => $dir, LOG_DIR => "$dir/log", LISTEN => "unix:$dir/site.sock", TRUSTED_PROXIES => 'unix:',
		API_SERVERS => "$address{app1}:9101 $address{app2}:9101", CRON_SERVERS => "$address{app1}:9102", USER_DIRECTIVE => 'user root;');
	$stack->system_ok("$stack->{source}/nginx/render $dir/nginx");
}
$stack->spawn('nginx', undef, on('web', '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', $dir, '-c', "$dir/nginx/kaireon.conf"));
$stack->wait_for('nginx', sub { IO::Socket::UNIX->new(Peer => "$dir/site.sock") });

# One request through nginx: status and JSON.
sub call {
	my ($method, $path, $key, $body, @headers) = @_;
	my $http = IO::Socket::UNIX->new(Peer => "$dir/site.sock") or return { status => 0 };
	$body = defined $body ? encode_json($body) : '';
	print $http join("\r\n", "$method $path HTTP/1.0", 'Host: localhost', "X-API-Key: $key", @headers,
		length $body ? ('Content-Type: application/json', 'Content-Length: ' . length $body) : (), '', $body);
	$http->flush;
	local $/;
	my $answer = readline($http) // '';
	my ($head, $text) = split /\r\n\r\n/, $answer, 2;
	return { status => $answer =~ m{^HTTP/1.1 (\d+)} ? $1 + 0 : 0, json => scalar eval { decode_json($text) } };
}
my ($viewer, $editor) = @{ $demo{disturbed}{key} }{qw(viewer editor)};
$stack->wait_for("both hosts to serve", sub {
	my %seen = map { $_ => 1 } $stack->slurp("$dir/log/nginx-access.log") =~ /"status":200.*?"upstream":"([\d.:]+)"/g;
	call('GET', '/readyz', $viewer);
	keys %seen == 2;
});

# a process does not wait for a host of nginx that is gone: its connections are probed
{
	my $pid = fork // die $!;
	exec on('web', 'bash', '-c', "exec 3<>/dev/tcp/$address{app1}/9101; read -r <&3") if !$pid;
	like($stack->wait_for('a connection', sub { my $list = `@{[on('app1', 'ss', '-Htno', 'sport = :9101')]} 2>&1`; $list =~ /timer/ && $list }),
		qr/timer:\(keepalive,(?:\d|1\d)(?:\.\d+)?(?:sec|ms)/, 'connections to a pool are probed for a peer that is gone');
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

# The second half of a run is behind a gate: who holds it stops the workers
# there, inside of their transactions.
$stack->owner(q{CREATE TABLE kaireon.gate ();
CREATE FUNCTION kaireon.wait_at_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = kaireon AS $$
BEGIN
	IF (SELECT count(*) FROM campaign_run_results WHERE run_id = (SELECT run_id FROM decided LIMIT 1)) > 1000 THEN
		PERFORM FROM gate;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER gate AFTER INSERT ON kaireon.campaign_run_results REFERENCING NEW TABLE AS decided
	FOR EACH STATEMENT EXECUTE FUNCTION kaireon.wait_at_gate()});

# A client that changes something: each request has its key, and is sent again
# until there is an answer.
sub begin_client {
	my ($name) = @_;
	pipe my $in, my $out or die $!;
	my $pid = fork // die $!;
	if (!$pid) {
		my ($stop, $n, $again, $tries) = (0, 0, 0, 0);
		local $SIG{TERM} = sub { $stop = 1 };
		until ($stop) {
			$n++;
			until (call('POST', '/api/v1/runs', $editor, $demo{disturbed}->fields(name => "$name $n"), "Idempotency-Key: $name-$n")->{status} == 201) {
				$again++;
				last if ++$tries > 1000;
				sleep 0.05;
			}
		}
		syswrite $out, "$n $again\n";
		POSIX::_exit(0);
	}
	close $out;
	return { name => $name, pid => $pid, in => $in };
}

sub end_client {
	my ($client) = @_;
	kill 'TERM', $client->{pid};
	waitpid $client->{pid}, 0;
	my ($sent, $again) = split / /, readline($client->{in}) // '0 0';
	chomp $again;
	note "$client->{name}: $sent requests, $again sent again";
	cmp_ok($sent, '>', 5, 'the client had work');
	is($stack->owner("SELECT count(*) || ' ' || count(DISTINCT name) FROM kaireon.campaigns WHERE name LIKE '$client->{name} %'"), "$sent $sent",
		'every request that was answered happened, and once');
}

sub progress {
	my ($run) = @_;
	return $stack->owner("SELECT count(DISTINCT customer_id) FROM kaireon.campaign_run_results WHERE run_id = '$run'");
}

# a run of each tenant; the first loses a host in its middle
my %result;
sub campaign {
	my ($tenant) = @_;
	my $demo = $demo{$tenant};
	my $made = call('POST', '/api/v1/runs', $demo->{key}{editor}, $demo->fields(name => "main $tenant"));
	return $made->{json}{id};
}
sub trigger {
	my ($tenant, $campaign) = @_;
	return call('POST', "/api/v1/runs/$campaign/campaign-runs", $demo{$tenant}{key}{editor})->{json}{id};
}
sub finished {
	my ($tenant, $campaign, $run) = @_;
	return $stack->wait_for("the end of the run of $tenant", sub {
		my $answer = call('GET', "/api/v1/runs/$campaign/campaign-runs/$run", $demo{$tenant}{key}{viewer})->{json} || {};
		($answer->{status} // 'pending') !~ /^(?:pending|running)$/ && $answer;
	}, 90) || {};
}

# reading requests that a host has begun when it falls silent: another answers them
sub serves_again {
	my ($host) = @_;
	$stack->wait_for("$host serves again", sub {
		call('GET', '/readyz', $viewer);
		(split /\n/, $stack->slurp("$dir/log/nginx-access.log"))[-1] =~ /"status":200,.*"upstream":"\Q$address{$host}\E:9101"/;
	});
}
{
	$stack->hold_table('kaireon.campaigns');
	my @readers = map {
		pipe my $in, my $out or die $!;
		my $pid = fork // die $!;
		if (!$pid) {
			syswrite $out, call('GET', '/api/v1/runs', $viewer)->{status};
			POSIX::_exit(0);
		}
		[$pid, $in];
	} 1 .. 4;
	$stack->wait_for('two requests on each host', sub { $stack->locks('kaireon.campaigns', 0) == 4 });
	kill_host('app1');
	$stack->release_table('kaireon.campaigns');
	my $end = time + 30; # fastcgi_read_timeout is 90 s
	my $select = IO::Select->new(map { $_->[1] } @readers);
	my %answer;
	while ($select->count && time < $end) {
		for my $in ($select->can_read(1)) {
			sysread $in, $answer{$in}, 10;
			$select->remove($in);
		}
	}
	is_deeply([values %answer], [(200) x 4], 'requests that a silent host had begun are answered by the other, and soon');
	kill 'KILL', map { $_->[0] } @readers if $select->count;
	waitpid $_->[0], 0 for @readers;
	revive_host('app1');
	serves_again('app1');
}

for my $host (qw(app1 app2)) {
	my $client = begin_client("during-$host");
	$stack->wait_for('the client to work', sub { $stack->owner("SELECT count(*) FROM kaireon.campaigns WHERE name LIKE '$client->{name} %'") > 5 });
	my $campaign = campaign('disturbed');
	$stack->hold_table('kaireon.gate');
	my $run = trigger('disturbed', $campaign);
	$stack->wait_for('both workers in the middle of the run', sub { $stack->locks('kaireon.gate', 0) == 2 });
	kill_host($host);
	my $killed_at = progress($run);
	ok($killed_at > 0 && $killed_at < 2000, "$host dies in the middle of a run ($killed_at customers)");
	$stack->release_table('kaireon.gate');
	is(call('GET', '/api/v1/runs', $viewer)->{status}, 200, 'requests are served by the other') for 1 .. 3;
	my $end = finished('disturbed', $campaign, $run);
	is($end->{status}, 'completed', 'the run is completed') or diag explain $end;
	is($end->{summary}{customersProcessed}, 2000, 'with every customer');
	is($stack->owner("SELECT count(*) - count(DISTINCT (customer_id, rank)) FROM kaireon.campaign_run_results WHERE run_id = '$run'"), 0, 'nobody was decided twice');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run'"), $end->{summary}{decisions}, 'each decision is one interaction');
	$result{$host} = $stack->owner("SELECT md5(string_agg(concat_ws(':', r.customer_id, r.rank, o.name, r.status), ',' ORDER BY r.customer_id, r.rank)) "
		. "FROM kaireon.campaign_run_results AS r LEFT JOIN kaireon.offers AS o ON o.tenant_id = r.tenant_id AND o.id = r.offer_id WHERE r.run_id = '$run'") if $host eq 'app1';
	revive_host($host);
	serves_again($host);
	end_client($client);
}

# hosts that all failed are asked all the same: the first that is back serves
{
	my @pools = map { "$_-api" } qw(app1 app2);
	$stack->stop($_) for @pools;
	is(call('GET', '/api/v1/runs', $viewer)->{status}, 503, 'no host serves');
	start_pool('app1');
	ok($stack->wait_for('a host', sub { call('GET', '/api/v1/runs', $viewer)->{status} == 200 }, 2), 'the first that is back serves at once');
	start_pool('app2');
	serves_again('app2');
}

# what the first run decided is what one decides that nothing disturbed
my $campaign = campaign('calm');
my $run = trigger('calm', $campaign);
is(finished('calm', $campaign, $run)->{status}, 'completed', 'a run that nothing disturbs');
is($stack->owner("SELECT md5(string_agg(concat_ws(':', r.customer_id, r.rank, o.name, r.status), ',' ORDER BY r.customer_id, r.rank)) "
	. "FROM kaireon.campaign_run_results AS r LEFT JOIN kaireon.offers AS o ON o.tenant_id = r.tenant_id AND o.id = r.offer_id WHERE r.run_id = '$run'"), $result{app1}, 'decided the same');

$stack->announce(qr/./);
$stack->end;
done_testing;
