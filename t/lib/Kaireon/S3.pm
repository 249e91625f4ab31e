package Kaireon::S3;

# An S3 with two buckets, "bank" and "lake", on a port of this host, over TLS;
# see t/lib/s3.js.
#
#	my $s3 = Kaireon::S3->new($stack);        # its settings are the stack's
#	$s3->rules({ method => 'PUT', status => 500, times => 2 });
#	$s3->object('bank', 'out/x.csv');          # bytes, or undef

use strict;
use warnings;

use File::Find ();
use JSON::PP;
use Test::More;

use Kaireon::Npm;

our $SECRET = 'planted/SECRET+key';

sub new {
	my ($class, $stack, %option) = @_;
	my $dir = "$stack->{dir}/s3";
	mkdir $dir or die $!;
	my $self = bless { stack => $stack, dir => $dir }, $class;
	my ($key, $cert) = $stack->certificate('s3');
	local $ENV{KRN_NPM} = Kaireon::Npm::dir();
	$stack->spawn('s3', undef, 'node', "$stack->{source}/t/lib/s3.js", $dir, $key, $cert, 'bank', 'lake');
	my $port = $stack->wait_for('S3', sub { $stack->slurp("$stack->{dir}/log/s3.log") =~ /^(\d+)$/m && $1 });
	my %setting = (S3_ENDPOINT => "https://127.0.0.1:$port", S3_CACERT => $cert, AWS_REGION => 'eu-west-1',
		AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY => $SECRET, S3_TIMEOUT_SECONDS => 20);
	$stack->{settings}{$_} = $setting{$_} for keys %setting;
	$self->{endpoint} = $setting{S3_ENDPOINT};
	return $self;
}

# What goes wrong from now on; nothing without any.
sub rules {
	my ($self, @rules) = @_;
	# by rename: it is read at each request; a number, so that a rule that came before counts anew
	$_ = { %$_, id => ++$self->{rule} } for @rules;
	$self->{stack}->spew("$self->{dir}/rules.new", encode_json(\@rules));
	rename "$self->{dir}/rules.new", "$self->{dir}/rules.json" or die $!;
}

# Requests so far: method, url, bytes, status.
sub requests {
	my ($self, $pattern) = @_;
	my @all = map { decode_json($_) } split /\n/, $self->{stack}->slurp("$self->{dir}/requests.log");
	return grep { !defined $pattern || "$_->{method} $_->{url}" =~ $pattern } @all;
}

sub forget { my ($self) = @_; unlink "$self->{dir}/requests.log" }

# Keys of a bucket's objects.
sub keys {
	my ($self, $bucket) = @_;
	my (@found, $root);
	$root = "$self->{dir}/objects/$bucket/";
	File::Find::find({ no_chdir => 1, wanted => sub { push @found, $1 if /^\Q$root\E(.*)\._S3rver_object$/s } }, $root);
	return sort map { s/%([0-9A-F]{2})/chr hex $1/ger } @found;
}

sub object {
	my ($self, $bucket, $key) = @_;
	my $path = "$self->{dir}/objects/$bucket/${key}._S3rver_object";
	return -e $path ? $self->{stack}->slurp($path) : undef;
}

# Uploads that are neither complete nor aborted.
sub uploads {
	my ($self) = @_;
	my $nr = 0;
	File::Find::find({ no_chdir => 1, wanted => sub { $nr++ if m{/metadata$} && -e s{metadata$}{key}r } }, "$self->{dir}/objects");
	return $nr;
}

1;
