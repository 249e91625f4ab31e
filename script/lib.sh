# Functions that script/server and script/test share. Sourced by bash.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() {
	printf '%s\n' "--- $*"
}

fail() {
	printf '%s\n' "$(basename "$0"): $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" || sudo "$@"; fi
}

# install_packages [run]: those of script/packages that are missing; with "run"
# not those that are marked for tests.
install_packages() {
	local names
	names=$(sed -e "${1:+/# test\$/d}" -e 's/#.*//' "$top/script/packages")
	# shellcheck disable=SC2086 # one name a word
	install_missing $names
}

install_missing() {
	local missing=() name
	for name; do
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
			missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	# the packages' own servers stay off: ours are private
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
		fail "apt-get could not install the packages"
}

# build DIRECTORY CONFIGURE-OPTION…
build() {
	local dir=$1
	shift
	say "building in ${dir#"$top"/}"
	[ -x "$top/configure" ] && [ ! "$top/configure.ac" -nt "$top/configure" ] &&
		[ ! "$top/Makefile.am" -nt "$top/Makefile.in" ] ||
		(cd "$top" && autoreconf -fi >/dev/null 2>&1) || fail "autoreconf failed"
	mkdir -p "$dir"
	[ -f "$dir/config.status" ] ||
		(cd "$dir" && "$top/configure" "$@" >configure.out 2>&1) ||
		{ tail -n 5 "$dir/configure.out"; fail "configure failed"; }
	make -C "$dir" -s -j"$(nproc)" || fail "the build failed"
}

# The sources as they lie here, committed or not, into a folder.
copy_sources() {
	(cd "$top" && git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
		tar -c --null -T - -f -) | tar -x -C "$1"
}

postgres_bin() {
	local dir
	for dir in /usr/lib/postgresql/*/bin; do :; done
	[ -x "$dir/initdb" ] || fail "PostgreSQL is not installed"
	echo "$dir"
}

# The user that private servers run as: never root.
server_user() {
	if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi
}

# as_server COMMAND…: as that user; the process is replaced, so that its id is
# the command's.
as_server() {
	if [ "$(id -u)" = 0 ]; then
		exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
	fi
	exec "$@"
}

# Can the server user reach this folder?
server_can_reach() {
	(as_server test -x "$1" -a -r "$1") 2>/dev/null
}
