# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by lint and bisect, after lib.sh: building parts of the kernel at any
# commit of the series, away from the work tree that people work in.

[ -e "$STAMP" ] || die "there is no build/linux-6.12: make tree"

# checkout COMMIT: into $SRC, a second work tree for lint and bisect that has
# its own index; touches only the files that differ from what is there
checkout()
{
	[ -d "$SRC" ] || { need_space "$BUILD" 2000; mkdir "$SRC"; rm -f "$SRC.index"; }
	rm -f "$SRC.index.lock"
	GIT_INDEX_FILE=$SRC.index git --git-dir="$TREE/.git" --work-tree="$SRC" \
		read-tree --reset -u "$1" || die "cannot check out $1 into $SRC"
}

# objects: what of the kernel the series changes and $SRC has, as make targets
objects()
{
	local f
	echo security/integrity/ima/
	git -C "$TREE" diff --name-only pristine HEAD -- '*.c' \
		':!security/integrity/ima' ':!tools' ':!Documentation' ':!samples' |
		while read -r f; do [ ! -e "$SRC/$f" ] || echo "${f%c}o"; done
}

# fragment: the options of the VM's kernel
fragment() { cat "$ROOT/$QEMU/../config" "$ROOT/$QEMU/kernel.config"; }

# config DIR: writes DIR/.config for $SRC out of DIR/fragment, if it differs
config()
{
	KCONFIG_CONFIG=$1/.config.new KCONFIG_ALLCONFIG=$1/fragment \
		make -s -C "$SRC" O="$1" "${@:2}" allnoconfig >"$1/config.log" 2>&1 ||
		die "allnoconfig fails: see $1/config.log"
	cmp -s "$1/.config.new" "$1/.config" || cp "$1/.config.new" "$1/.config"
}
