#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What deleting measurement records is good for, in a screenful: measure, archive and
# prove with imalog, delete, and attest what is left. Every figure is what the running
# kernel, the TPM or imalog says.

IMA=/sys/kernel/security/ima
ARCHIVE=/var/lib/imalog
FILES=2000

fail() { echo "demo: $*" >&2; exit 1; }

say() { printf '\n== %s\n' "$*"; }

# run COMMAND...: show it, and what it prints
run()
{
	echo "# $*"
	"$@" || fail "$1: exit status $?"
}

# measure FIRST NUMBER: so many files, each seen for the first time
measure()
{
	i=$1
	while [ "$i" -lt $(($1 + $2)) ]; do
		echo "$i" >"/tmp/file-$i"
		read -r _ <"/tmp/file-$i"
		rm "/tmp/file-$i"
		i=$((i + 1))
	done
}

# Bytes of the kernel's memory that it cannot reclaim by itself
slab() { echo $(($(sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 1024)); }

# What it is when it stays the same for a second: freeing goes on in the background
settled()
{
	a=$(slab)
	while sleep 1; b=$(slab); [ "$a" != "$b" ]; do a=$b; done
	echo "$b"
}

# pcrs FOLDER: the PCRs of a bank, in the form that evmctl reads
pcrs()
{
	for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do
		printf 'PCR-%02d:%s\n' "$n" "$(sed 's/../ &/g' "$1/$n")"
	done
}

number() { sed -n "s/^ *\"$1\":\([0-9]*\),*\$/\1/p"; }

mkdir -p /var/lib
echo 'measure func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994' >$IMA/policy ||
	fail "the policy cannot be written"

say "Load: $FILES files are measured into the list and PCR 10"
measure 0 $FILES
run imalog status

say 'Trim: archive the records, prove them with a quote, delete them in the kernel'
before=$(settled)
echo '# imalog trim --json'
imalog trim --json >/tmp/trim || fail 'trim'
deleted=$(number deleted </tmp/trim)
cat /tmp/trim
after=$(settled)
[ "${deleted:-0}" -ge $FILES ] || fail "only ${deleted:-no} records were deleted"
echo "the kernel gave back $(((before - after) / deleted)) bytes a record"

say 'More load, and another trim that leaves 20 records in the kernel'
measure $FILES 500
run imalog trim --keep 20

say 'Verify: archive and kernel lead to the PCR values of a fresh quote'
run imalog verify

say 'So they do for tools that know nothing of it'
imalog cat >/tmp/log || fail 'cat'
shard=$(find $ARCHIVE/000000 -mindepth 1 -maxdepth 1 | sort | tail -n 1)
nonce=$(sed -n 's/^ *"nonce":"\([0-9a-f]*\)".*/\1/p' "$shard/shard.json")
run tpm2_checkquote -Q -u "$shard/ak" -m "$shard/quote" -s "$shard/signature" \
	-q "$nonce"
echo 'tpm2_checkquote: the quote of the newest shard is good'
for bank in sha1 sha256; do
	pcrs /sys/class/tpm/tpm0/pcr-$bank >/tmp/pcrs-$bank
done
echo '# evmctl ima_measurement (what imalog cat wrote, with the PCRs of two banks)'
evmctl ima_measurement --pcrs sha1,/tmp/pcrs-sha1 --pcrs sha256,/tmp/pcrs-sha256 \
	/tmp/log >/tmp/evmctl 2>&1
cat /tmp/evmctl
grep -q '^Matched' /tmp/evmctl || fail 'evmctl'

say 'Flip one byte of the archive: verify finds it'
cp "$shard/records" /tmp/records
printf '~' | dd of="$shard/records" bs=1 seek=60 conv=notrunc 2>/dev/null
echo '# imalog verify'
imalog verify && fail 'verify did not find it'
cp /tmp/records "$shard/records"
run imalog verify

echo
echo "$(imalog cat --ascii | wc -l) records were measured,"\
	"$(cat $IMA/runtime_measurements_count) are in the kernel, none is lost."
