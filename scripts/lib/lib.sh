# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are used by the scripts that source this
#
# Sourced by the scripts: places, messages, packages, and git without the
# user's configuration (diff.noprefix, commit.gpgsign and the like change what
# git prints and stores).

ME=${0##*/}
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
BUILD=$ROOT/build
PATCHES=$ROOT/patches/linux-6.12
TREE=$BUILD/linux-6.12
STAMP=$TREE/.git/ima-staging
CACHE=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/ima-staging
QEMU=tools/testing/selftests/ima/qemu
RESULTS=$BUILD/results
SRC=$BUILD/src
JOBS=$(nproc)
# The kernel's kind: see $QEMU/Makefile
[ "${DEBUG:-0}" = 0 ] || KIND=debug
KIND=${KIND:-}
unset DEBUG

# What make(1) passes on is for our Makefile, not for the kernel's.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
unset "${!GIT_@}"
export LC_ALL=C TZ=UTC
# What was compiled in another checkout counts as well.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

say() { printf '%s: %s\n' "$ME" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# reason OUTPUT: the line in it that says why
reason()
{
	if grep -q 'No space left' <<<"$1"; then
		echo 'the disk is full: make room'
	else
		grep -m1 -iE 'fatal|error|cannot' <<<"$1" || head -n1 <<<"$1"
	fi
}

# need PACKAGE...: install those that are missing
need()
{
	local missing=() p

	for p; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
			grep -qx installed || missing+=("$p")
	done
	((${#missing[@]} == 0)) || apt_install "${missing[@]}"
}

apt_install()
{
	local as=()

	if (($(id -u))); then
		command -v sudo >/dev/null ||
			die "not root and no sudo: as root, apt-get install $*"
		as=(sudo)
		[ -t 0 ] || as+=(-n)
	fi
	as+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
	need_space "$BUILD" 100
	say "installing $*"
	{
		"${as[@]}" update &&
		"${as[@]}" install --no-install-recommends --allow-downgrades "$@"
	} >"$BUILD/apt.log" 2>&1 </dev/null ||
		die "apt-get could not install $*: see build/apt.log, or install by hand"
}

# mirror debian|debian-security: the mirror that APT gets Debian, or its updates, from
mirror()
{
	# shellcheck disable=SC2016 # APT fills it in
	apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Created-By: Packages' |
		grep -m1 "/$1/*\$" || die "APT's sources name no mirror of Debian"
}

# need_space DIR MEGABYTES
need_space()
{
	mkdir -p "$1" 2>/dev/null || die "cannot write to $1: check its owner and mode"
	[ -w "$1" ] || die "cannot write to $1: check its owner and mode"
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	((free >= $2)) || die "$1 has $free MB free and needs $2 MB: make room"
}

# base KEY: the word behind it in BASE
base() { awk -v k="$1" '$1 == k { print $2 }' "$PATCHES/BASE"; }

# tested: prints SUITE VERSION SHA256 of each, that which the patches were made for first
tested() { sed '/^package /d' "$PATCHES/BASE"; }

# was_tested VERSION
was_tested() { tested | cut -d' ' -f2 | grep -qxF -- "$1"; }

# series: prints "PATCH<tab>FILE" for each overlay file, "PATCH<tab>" for each patch
series()
{
	awk '/^[ \t]*(#|$)/ { next }
	     FILENAME ~ /overlay$/ && /^\t/ { files[patch] = files[patch] patch "\t" $1 "\n"; next }
	     FILENAME ~ /overlay$/ { patch = $1; next }
	     { printf "%s\t\n%s", $1, files[$1]; delete files[$1] }
	     END {
		for (patch in files) {
			print "error: " patch " is in overlay, but not in series" >"/dev/stderr"
			exit 1
		}
	     }' "$PATCHES/overlay" "$PATCHES/series"
}

# inputs: one hash over all that make tree builds from
inputs()
{
	local f
	[[ -r $PATCHES/BASE && -r $PATCHES/series && -r $PATCHES/overlay ]] ||
		die "patches/linux-6.12/ has no BASE, no series or no overlay"
	series >/dev/null || die "patches/linux-6.12/overlay: see above"
	(
		cd "$ROOT" || exit
		cat "$PATCHES/BASE" "$PATCHES/series" "$PATCHES/overlay"
		series | while IFS=$'\t' read -r p f; do
			f=${f:-patches/linux-6.12/$p}
			if [ -L "$f" ]; then readlink "$f"; fi
			if [ -x "$f" ]; then echo x; fi
			cat "$f" 2>&1 || :
		done
	) | sha256sum | cut -d' ' -f1
}

# stamp KEY: what the last make tree or make refresh noted
stamp() { sed -n "s/^$1 //p" "$STAMP" 2>/dev/null || :; }

write_stamp()
{
	printf 'inputs %s\ncommit %s\nversion %s\nsha256 %s\n' "$@" >"$STAMP.tmp"
	mv "$STAMP.tmp" "$STAMP"
}

# lock NAME: only one of us at a time
lock()
{
	exec 9>"$BUILD/.lock-$1" || die "cannot write to $BUILD: check its owner and mode"
	! flock -n 9 || return 0
	say 'another make is at work in build/: waiting for it'
	flock -w 600 9 || die 'another make is at work in build/ for ten minutes: wait for it'
}

# Commits have the same hash for everybody.
export GIT_AUTHOR_NAME=ima-staging GIT_AUTHOR_EMAIL=ima-staging@localhost
export GIT_AUTHOR_DATE='@1000000000 +0000'
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE

# tree_is_clean: nothing uncommitted, no rebase or git am half done
tree_is_clean()
{
	[ ! -d "$TREE/.git/rebase-merge" ] && [ ! -d "$TREE/.git/rebase-apply" ] &&
		[ -z "$(git -C "$TREE" status --porcelain --untracked-files=no)" ]
}

# qemu TARGET [VARIABLE=VALUE...]: the VM's Makefile
qemu() { make -s --no-print-directory -C "$ROOT/$QEMU" "$@" KERNEL_SRC="$TREE" BUILD="$BUILD"; }

# machine_failed OUT: was it the machine, and not the test? The driver gives the emulated
# TPM as long as a chip, 750 ms for an extend. On a busy machine it can take longer, and
# then the list does not lead to the PCR. QEMU 10 has failed an assertion of its own
# (msix_table_mmio_write) when Linux looked for PCI devices.
machine_failed()
{
	grep -qE 'tpm0: Operation Timed out|to TPM chip, result: -62' "$1.console" ||
		grep -qE 'qemu-system-[^:]*: .*: Assertion .* failed' "$1.log"
}

# What a test says that its kernel's console must have ("# console: TEXT"): the
# kernel that printed it may be gone when there is one to look.
check_console() # NAME OUT
{
	local text bad=0
	while IFS= read -r text; do
		if grep -qF -- "$text" "$2.console"; then
			echo "ok $1: console: $text"
		else
			echo "FAIL $1: console: not found: $text"
			bad=1
		fi
	done < <(sed -n 's/^# console: //p' "$2.tap")
	return $bad
}

# vm VARIABLE=VALUE...: runs a program in the VM; 0 if it exited with 0
vm() { qemu vm DIR="$ROOT" "$@" </dev/null; }
