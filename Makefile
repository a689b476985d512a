# SPDX-License-Identifier: GPL-2.0-only
#
# Each target installs the Debian packages and builds what it needs first.

.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

QEMU := tools/testing/selftests/ima/qemu
# TPM=0, KIND=debug and the like get there from the command line as they are.
# as scripts/lib/lib.sh has it
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
IMALOG := $(CURDIR)/build/tools-ima/imalog/imalog:/usr/local/bin/imalog
# Relative paths start where make was called. $PWD is another folder if a program that has
# changed its own called; after -C it is the best that there is.
DIR = $(if $(shell tr '\0' '\n' </proc/$$PPID/cmdline | grep -E '^(-[A-Za-z]*C|--directory)'),$(PWD),$(CURDIR))
VM = $(MAKE) -s -C $(QEMU) DIR='$(DIR)' KERNEL_SRC=$(CURDIR)/build/linux-6.12 BUILD=$(CURDIR)/build

ifdef SUITE
# in a fresh Debian of that suite
$(or $(MAKECMDGOALS),help):
	@scripts/suite $(SUITE) $@ $(foreach v,$(filter-out SUITE=%,$(MAKEOVERRIDES)),'$v')
else

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 13
	@echo 'SUITE=trixie with any of these runs it in a fresh root folder of Debian 13.'

demo: programs kernel	## imalog in a VM with a TPM: load, trim, verify, and a byte that was flipped
	@scripts/lib/packages vm
	@$(VM) vm RUN=$(CURDIR)/tools/testing/selftests/ima/demo/demo.sh \
		FILES='$(IMALOG) /usr/bin/evmctl'

test:		## lint, bisect, KUnit and selftests with the release and the debug kernel
	@scripts/test

kernel: tree	## build the kernel for the VM (KIND=debug, kcsan, gcov, off, scale; stock, peer: a stock 6.12, 7.x)
	@scripts/lib/packages kernel
	@$(if $(filter peer stock,$(KIND)),scripts/$(KIND),$(VM) kernel) >&2

kunit: kernel	## run the KUnit tests in the VM
	@scripts/lib/packages vm
	@scripts/kunit

selftest: programs kernel	## run the selftests in the VM (ONLY='a_test b_test')
	@scripts/selftest $(ONLY)

debug:		## kunit and selftest with the debug kernel: KASAN, lockdep, kmemleak
	@$(MAKE) kunit selftest KIND=debug

kcsan:		## the same with KCSAN, which finds data races
	@$(MAKE) kunit selftest KIND=kcsan

coverage: tree	## which functions and lines of IMA the tests run (gcov, lcov)
	@scripts/lib/packages kernel vm selftest coverage
	@scripts/coverage

fuzz: tree	## libFuzzer on what imalog reads, RUNS= each (a million)
	@scripts/lib/packages selftest fuzz
	@$(MAKE) -C tools/ima fuzz OUTPUT=$(CURDIR)/build/tools-ima/ $(if $(RUNS),RUNS=$(RUNS))

vm: $(if $(KERNEL),tree,kernel)	## run a program in the VM, imalog is there: RUN='program arg...' [TPM=0] [APPEND=...]
	@scripts/lib/packages kernel vm selftest
	@scripts/programs imalog
	@$(VM) vm FILES='$(IMALOG) $(FILES)'

bench: programs	## memory, times and locks, against 6.12 and 7.x: each goal met or missed
	@scripts/bench

conformance: programs	## the selftests on a stock Linux 7.x: only what is documented may differ
	@scripts/lib/packages vm
	@scripts/conformance

lint: tree	## checkpatch, sparse, W=1 with gcc and clang, docs, shellcheck
	@scripts/lib/packages kernel lint
	@scripts/lint

bisect: tree	## build after each patch, with CONFIG_IMA_STAGING on and off
	@scripts/lib/packages kernel
	@scripts/bisect

variants: tree	## build for i386, arm64, s390 and with other options; the parser on big endian
	@scripts/lib/packages kernel selftest variants
	@scripts/variants

mutants: programs	## plant faults: does a test notice each? (ONLY='name name')
	@scripts/lib/packages vm
	@scripts/mutants $(ONLY)

soak: kernel programs	## everything at once for MINUTES= (60), with kexecs, in the VM with a TPM
	@scripts/lib/packages vm
	@scripts/soak

scale: programs	## a million records (RECORDS=), kexec with 100,000, on each model of preemption
	@scripts/lib/packages vm
	@scripts/scale

tree:		## make build/linux-6.12: Debian's source, one commit per patch
	@scripts/tree

refresh:	## write the commits of build/linux-6.12 to patches/ and the overlay
	@scripts/refresh

export: tree	## write the series as mails to build/export/, signed off by you
	@scripts/export

deb: tree	## Debian packages: imalog, and the kernel with the config of this machine (CONFIG=)
	@scripts/lib/packages kernel selftest deb
	@scripts/deb $(ONLY)

system: tree	## the packages in a Debian system under systemd, in the VM: start, trim, kexec, reboot
	@scripts/lib/packages kernel vm selftest deb system
	@scripts/system

clean:		## remove build/, except for commits or changes of yours in linux-6.12
	@scripts/clean

programs: tree
	@scripts/lib/packages kernel vm selftest
	@scripts/programs

.PHONY: help demo fuzz test kernel kunit selftest debug kcsan coverage vm bench conformance lint bisect variants \
	mutants soak scale tree refresh export deb system clean programs

endif
