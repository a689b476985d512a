#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a Debian system with the packages of imalog and of a kernel with the series, run by
# systemd at each boot: the services start, trim, survive restart, upgrade and stop; then
# kexec (the same chain goes on), a reboot (a new one begins), the end. Prints a line for
# each thing that was seen, and the services' journal where one was not.

IMA=/sys/kernel/security/ima
MOUNT=/run/imalog/ima
PHASE=/root/phase
ROUND=8f3c0b7d5a1e4c6f9b2d7e0a4c8f1357

exec >/dev/ttyS1 2>&1

check() # WHAT COMMAND...
{
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok system: $what"
	else
		echo "FAIL system: $what"
		{ echo "$out"; journalctl -b --no-pager -u imalog -u imalog-mount; } |
			tail -n 30 | sed 's/^/  | /'
	fi
}

# until COMMAND...: within two minutes
await()
{
	local i
	for ((i = 0; i < 240; i++)); do
		"$@" && return
		sleep 0.5
	done
	return 1
}

number() { cat "$IMA/$1"; }
few() { (($(number runtime_measurements_count) <= $1)); }

measure() # NUMBER: files that were never seen before
{
	local i f
	for ((i = 0; i < $1; i++)); do
		f=/dev/shm/$RANDOM-$SRANDOM
		echo "$f" >"$f"
		read -r _ <"$f"
		rm "$f"
	done
}

active() { systemctl is-active --quiet imalog imalog-mount; }
same() { cmp <(imalog cat) $MOUNT/binary_runtime_measurements; }
chains() { [ "$(find /var/lib/imalog -mindepth 1 -maxdepth 1 -name '0*' | wc -l)" = "$1" ]; }
pid() { systemctl show -p MainPID --value "$1"; }
rounds() { journalctl -b -u imalog MESSAGE_ID=$ROUND -o json | grep -c IMALOG_ARCHIVED; }

# exposure UNIT MOST: as systemd-analyze sees it
exposure()
{
	local line
	line=$(systemd-analyze security --no-pager "$1" | tail -n 1)
	echo "figure system: $line" >/dev/ttyS1
	awk -v most="$2" '{ for (i = 1; i <= NF; i++)
		if ($i ~ /^[0-9.]+$/) exit !($i <= most)
		exit 1 }' <<<"$line"
}

python_reads()
{
	python3 -c 'import sys; n = open(sys.argv[1], "rb").read().count(b"\n"); \
sys.exit(n != int(open(sys.argv[2]).read()))' \
		$MOUNT/ascii_runtime_measurements $MOUNT/runtime_measurements_count
}

# Each of them is measured when it is executed, so the log grows meanwhile.
coreutils_read()
{
	local list=$MOUNT/ascii_runtime_measurements
	cp $list /root/copy &&
	[ "$(wc -l </root/copy)" -gt 20 ] &&
	cat $list | cmp -n "$(stat -c %s /root/copy)" - /root/copy &&
	tail -n +1 $list | cmp -n "$(stat -c %s /root/copy)" - /root/copy &&
	[ "$(head -n 1 $list)" = "$(head -n 1 /root/copy)" ]
}

read_as() # GROUP
{
	setpriv --reuid=4711 --regid="$1" --clear-groups \
		head -c 100 $MOUNT/ascii_runtime_measurements
}

others_do_not() { ! read_as 4711; }

not_enabled() { ! systemctl is-enabled imalog imalog-mount | grep -qx enabled; }

begin()
{
	check 'the packages enable nothing' not_enabled
	check 'both services start' systemctl enable --now imalog-mount imalog
	check 'both are active' active
	check 'exposure of imalog.service' exposure imalog.service 2.5
	exposure imalog-mount.service 10
	measure 500
	check 'the service trims' await few 250
	check 'the journal has the rounds as fields' test "$(rounds)" -ge 1
	check 'systemctl reload makes a round at once' reload_trims
	check 'the mount has the whole log' same
	check 'Python reads the mount' python_reads
	check 'cp, cat, wc and tail read the mount' coreutils_read
	check 'the group reads the mount' read_as tss
	check 'others do not' others_do_not
	check 'verify' imalog verify
	check 'restart' systemctl restart imalog
	measure 300
	check 'it trims after a restart' await few 250
	check 'an upgrade leaves the mount alone' upgrade
	check 'both are active after it' active
	check 'the mount comes back when it was killed' killed_mount_is_back
	check 'stop makes a last round' stop_trims
	check 'start again' systemctl start imalog
	measure 100
	echo kexec >$PHASE
	sync
	check 'kexec: load' kexec -s -l /boot/vmlinuz-* --reuse-cmdline
	systemctl kexec
}

reload_trims()
{
	measure 50
	systemctl reload imalog
	await few 30
}

upgrade()
{
	local before
	before=$(pid imalog-mount)
	dpkg -i /root/imalog.deb && [ "$(pid imalog-mount)" = "$before" ] && same
}

killed_mount_is_back()
{
	local before
	before=$(pid imalog-mount)
	kill -KILL "$before" && await started_after "$before" && same
}

started_after() # PID
{
	active && [ "$(pid imalog-mount)" != "$1" ]
}

# What is read in /run after the last round, stays in the list.
stop_trims()
{
	measure 50
	systemctl stop imalog || return
	journalctl --sync
	journalctl -b -u imalog -o cat | grep 'records archived' | tail -n 1 |
		awk '{ print } END { exit !($1 >= 50) }'
}

after_kexec()
{
	check 'kexec: both start by themselves' await active
	check 'kexec: the same chain' chains 1
	check 'kexec: the mount has the whole log' same
	measure 300
	check 'kexec: it trims' await few 250
	check 'kexec: nothing twice, nothing lost' imalog verify
	check 'kexec: the mount after a trim' same
	echo reboot >$PHASE
	systemctl reboot
}

after_reboot()
{
	check 'reboot: both start by themselves' await active
	measure 300
	check 'reboot: it trims' await few 250
	check 'reboot: a new chain' chains 2
	check 'reboot: verify' imalog verify
	check 'reboot: the mount has the log since then' same
	echo end >$PHASE
	echo end
	systemctl poweroff
}

case $(cat $PHASE 2>/dev/null) in
'')	begin ;;
kexec)	after_kexec ;;
reboot) after_reboot ;;
esac
