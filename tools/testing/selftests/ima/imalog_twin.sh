#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: imalog_twin.sh trim|keep
#
# The same events each time, of every template, with names that are odd and with
# violations. With "trim" imalog deletes records in between. Prints a hash of each
# list: as imalog shows it, or with "keep" as the kernel does. Both must be the same.

IMA=/sys/kernel/security/ima
TEMPLATES='ima ima-ng ima-sig ima-ngv2 ima-sigv2 evm-sig'

fail() { echo "twin: $*" >&2; exit 1; }

# rules: a template for the files of each owner, from 1 on
rules()
{
	owner=1
	for template in $TEMPLATES; do
		echo "measure func=FILE_CHECK mask=MAY_READ fowner=$owner template=$template"
		owner=$((owner + 1))
	done
	echo 'measure func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994'
}

# one NAME OWNER: a file that is measured
one()
{
	{ echo "$1" >"$1" && chown "$2" "$1" && read -r _ <"$1"; } || fail "$1"
}

# measure FIRST: events
measure()
{
	i=$1
	while [ "$i" -lt $(($1 + 100)) ]; do
		one "/tmp/file-$i" $((i % 8))
		i=$((i + 1))
	done
	one "/tmp/a blank-$1" 0
	one "/tmp/a line
feed-$1" 2
	one "/tmp/$(printf '\377\001')-$1" 3
	: >"/tmp/written-$1"
	exec 3>>"/tmp/written-$1"
	read -r _ <"/tmp/written-$1"
	exec 3>&-
}

trim()
{
	[ "$mode" = trim ] || return 0
	imalog trim "$@" >&2 || fail "imalog trim $*: exit status $?"
}

show()
{
	alg=${1##*_}
	case $mode/$1 in
	keep/*)		cat "$IMA/$1" ;;
	trim/ascii*)	imalog cat --hash "$alg" --ascii ;;
	trim/binary*)	imalog cat --hash "$alg" ;;
	esac >/root/list || fail "$1"
	echo "$1 $(wc -c </root/list) $(sha256sum </root/list)"
}

mode=$1
mkdir -p /var/lib
rules >/root/rules
cat /root/rules >$IMA/policy || fail 'the policy cannot be written'
measure 0
trim
measure 1000
trim --keep 7
measure 2000
trim --max 5
measure 3000
cd $IMA || fail $IMA
for list in *_runtime_measurements_*; do
	case $list in *_staged) continue ;; esac
	show "$list"
done
[ "$mode" = keep ] || echo "left $(cat $IMA/runtime_measurements_count)" >&2
