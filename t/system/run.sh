#!/bin/bash
# The test of the system, inside of it. Each part is a file; they share the
# shell, so a part finds what the parts before it made.
cd /kaireon
export LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=
. ./lib.sh
echo "127.0.0.1 offers.test" >>/etc/hosts
for part in 1-install 2-serve 3-timers 4-network 5-trouble 6-upgrade 7-remove; do
	. "./$part.sh"
done
title "the end: $failed failed"
[ "$failed" = 0 ] && echo 0 >status
sync
exit 0
