// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog on hosts that no test kernel can be: TPMs with one bank, or without SHA-256;
 * hibernation; an extend that failed; a list that somebody altered; one in which the
 * same record comes again and again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"

#include "host.h"
#include "prove.h"

#define SECONDS	600
#define ROUNDS	"200"	/* a TPM has room for three objects: one lost is noticed soon */

FIXTURE(host)
{
	struct host *h;
};

FIXTURE_VARIANT(host)
{
	const char *banks;
};

FIXTURE_VARIANT_ADD(host, sha1_only)
{
	.banks = "sha1",
};

FIXTURE_VARIANT_ADD(host, sha256_only)
{
	.banks = "sha256",
};

FIXTURE_VARIANT_ADD(host, sha1_and_sha384)
{
	.banks = "sha1,sha384",
};

FIXTURE_VARIANT_ADD(host, four_banks)
{
	.banks = "sha1,sha256,sha384,sha512",
};

static struct host *make_host(const char *banks, bool counted)
{
	struct host *h = malloc(sizeof(*h));

	if (!getenv("IMALOG") || !h) {
		printf("# IMALOG must name the program\n");
		return NULL;
	}
	if (!host_begin(h, banks, counted))
		return h;
	printf("# no host: is swtpm there? %s\n", h->output);
	host_end(h);
	return NULL;
}

FIXTURE_SETUP(host)
{
	self->h = make_host(variant->banks, true);
	ASSERT_NE(NULL, self->h);
}

FIXTURE_TEARDOWN(host)
{
	host_end(self->h);
	free(self->h);
}

static int measure(struct host *h, unsigned int num)
{
	static unsigned int n;
	char name[32];
	int err = 0;

	while (num-- && !err) {
		snprintf(name, sizeof(name), "/bin/%u", n++);
		err = host_measure(h, name, true);
	}
	return err;
}

TEST_F_TIMEOUT(host, banks, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, measure(h, 5));
	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 2")) host_said(h, "no error");
	EXPECT_EQ(4, host_delete(h));
	ASSERT_EQ(0, measure(h, 3));
	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 1")) host_said(h, "no error");
	EXPECT_EQ(4, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	EXPECT_TRUE(host_said(h, "9 records in 2 shards"));
}

FIXTURE(one)
{
	struct host *h;
};

/* A trim was done, then more was measured. */
FIXTURE_SETUP(one)
{
	self->h = make_host("sha1,sha256", true);
	ASSERT_NE(NULL, self->h);
	ASSERT_EQ(0, measure(self->h, 3));
	ASSERT_EQ(DONE, host_imalog(self->h, "trim")) host_said(self->h, "no error");
	ASSERT_EQ(4, host_delete(self->h));
	ASSERT_EQ(0, measure(self->h, 4));
}

FIXTURE_TEARDOWN(one)
{
	host_end(self->h);
	free(self->h);
}

/* @shutdown: what the kernel tells the TPM before power goes */
static int shut_down_and_start(struct host *h, const char *shutdown, enum host_startup how)
{
	return host_shell(h, "%s", shutdown) ?: host_stop_tpm(h) ?: host_start_tpm(h, how);
}

/* It says why, and nothing is deleted. */
static bool trim_is_refused(struct host *h, const char *why)
{
	return host_imalog(h, "trim") == REFUSED && host_said(h, why) &&
	       host_delete(h) == -ENOENT && !host_shell(h, "! ls -d $D/archive/*/.new");
}

/* Suspend to RAM: the TPM has its state back. */
TEST_F_TIMEOUT(one, resumed_tpm, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q", HOST_STATE));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(6, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
}

/* The same, and then kexec: it is the same chain. */
TEST_F_TIMEOUT(one, resumed_tpm_and_kexec, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q", HOST_STATE));
	ASSERT_EQ(0, host_new_kernel(h));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(6, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	EXPECT_TRUE(host_said(h, "chain 0: 10 records in 2 shards"));
}

static int boot(struct host *h)
{
	int err = host_new_kernel(h);

	h->num = 0;
	return err ?: host_measure(h, "boot_aggregate", true);
}

static int reset(struct host *h)
{
	return shut_down_and_start(h, "tpm2_shutdown -Q -c", HOST_CLEAR) ?: boot(h);
}

/* Power was lost in suspend: the firmware begins anew, and so does the kernel. */
TEST_F_TIMEOUT(one, restarted_tpm_and_boot, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q", HOST_CLEAR));
	ASSERT_EQ(0, boot(h));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_EQ(DONE, host_imalog(h, "status --json"));
	EXPECT_TRUE(host_said(h, "\"chain\":0,\n  \"archived_end\":4,"));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(3, host_delete(h));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(2, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	EXPECT_TRUE(host_said(h, "chain 0: 4 records in 1 shards"));
	EXPECT_TRUE(host_said(h, "chain 1: 5 records in 2 shards"));
	EXPECT_EQ(NULL, strstr(h->output, "nothing archived of"));
}

/* The TPM's clock goes back to when it was saved. */
TEST_F_TIMEOUT(one, power_was_lost, SECONDS)
{
	struct host *h = self->h;

	/* for a while: far more than until the next quote */
	ASSERT_EQ(0, measure(h, 50));
	ASSERT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	ASSERT_EQ(54, host_delete(h));
	ASSERT_EQ(0, host_stop_tpm(h));
	ASSERT_EQ(0, host_start_tpm(h, HOST_CLEAR));
	ASSERT_EQ(0, boot(h));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(1, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify")) host_said(h, "no error");
	EXPECT_TRUE(host_said(h, "chain 1: 1 records in 1 shards"));
	ASSERT_EQ(0, host_shell(h, "cd $D/archive;"
				"set -- $(grep -ho '\"clock\":[0-9]*' */*/shard.json | tr -dc '0-9\\n');"
				"echo $*; test $2 -gt $3"))
		host_said(h, "a clock that goes back");
}

/* Hibernation: the state was saved, but the firmware begins anew. */
TEST_F_TIMEOUT(one, hibernated_tpm, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q", HOST_CLEAR));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_TRUE(trim_is_refused(h, "after hibernation they began anew"));
	EXPECT_EQ(REFUSED, host_imalog(h, "verify"));
}

TEST_F_TIMEOUT(one, tpm_reset_under_the_kernel, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q -c", HOST_CLEAR));
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_TRUE(trim_is_refused(h, "it was reset while the kernel ran on"));
}

TEST_F_TIMEOUT(one, extend_that_failed_is_named, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_measure(h, "/bin/lost", false));
	ASSERT_EQ(0, measure(h, 3));
	EXPECT_TRUE(trim_is_refused(h,
				    "record 8 is in the list, but was not extended into the PCR"));
}

TEST_F_TIMEOUT(one, last_extend_that_failed_is_named, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_measure(h, "/bin/lost", false));
	EXPECT_TRUE(trim_is_refused(h,
				    "record 8 is in the list, but was not extended into the PCR"));
}

/*
 * A record is listed before it extends the PCR, and the quote may come between the two:
 * the next one leads there, or one of the next, if who measures is off its CPU. Here it is
 * the list that is another when it is read again.
 */
TEST_F_TIMEOUT(one, quote_between_record_and_extend, SECONDS)
{
	struct host *h = self->h;
	struct maker_record kept = h->record[7];

	h->record[7] = h->record[6];
	ASSERT_EQ(0, host_write_list(h));
	ASSERT_EQ(0, host_shell(h, "cp $D/ima/binary_runtime_measurements $D/early"));
	h->record[7] = kept;
	ASSERT_EQ(0, host_write_list(h));
	ASSERT_EQ(0, host_shell(h, "cd $D/ima; mv binary_runtime_measurements ../list;"
				"mkfifo binary_runtime_measurements"));
	EXPECT_EQ(DONE, host_shell(h, "cd $D; fifo=ima/binary_runtime_measurements;"
				   "(for i in 1 2 3 4 5 6 7 8; do cat early >$fifo; done; touch read;"
				   "while [ ! -e stop ]; do cat list >$fifo; done) >/dev/null 2>&1 &\n"
				   "$IMALOG trim --archive archive --ima-dir ima; ret=$?;"
				   "touch stop; exec 3<>$fifo; wait; mv -f list $fifo;"
				   "[ -e read ] && exit $ret"))
		host_said(h, "no error");
	EXPECT_EQ(4, host_delete(h));
}

/* Standard output has what the round did. */
TEST_F_TIMEOUT(one, before_delete_prints_to_standard_error, SECONDS)
{
	struct host *h = self->h;

	EXPECT_EQ(0, host_shell(h, "cd $D; copy='echo copied';"
				"set -- --archive archive --ima-dir ima;"
				"$IMALOG trim --json --before-delete \"$copy\" $* 2>err >out || exit;"
				"cat err; ! grep -q copied out && grep -q deleted out"));
	EXPECT_TRUE(host_said(h, "copied"));
}

/*
 * Neither the TPM, nor the archive's lock or files: those of $(ls) are its three and the
 * folder. Nor does imalog itself have a file of the shard open, which is measured then.
 */
TEST_F_TIMEOUT(one, before_delete_has_no_file_of_imalog, SECONDS)
{
	const char *files = "test $(ls /proc/self/fd | wc -l) = 4";
	const char *shard = "! ls -l /proc/$PPID/fd | grep $IMALOG_SHARD";
	struct host *h = self->h;

	EXPECT_EQ(DONE, host_imalog(h, "trim --before-delete '%s && %s'", files, shard))
		host_said(h, "no error");
}

#define COPY	"cd $IMALOG_ARCHIVE && cp -a --parents ${IMALOG_SHARD#$IMALOG_ARCHIVE/} ../vault"
#define VERIFY_COPY	"cd $D; ak=$(sed -n 's/^ *\"ak\":\"\\([0-9a-f]*\\)\".*/\\1/p' said);"	\
			"$IMALOG verify --offline --ak $ak vault"

/* Those of the last records before a reset, too, which are never deleted. */
TEST_F_TIMEOUT(one, before_delete_gets_each_shard, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 4 --before-delete 'mkdir $D/vault; " COPY "'"))
		host_said(h, "no error");
	EXPECT_EQ(-ENOENT, host_delete(h));
	ASSERT_EQ(0, measure(h, 1));
	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 5")) host_said(h, "no error");
	ASSERT_EQ(0, reset(h));
	EXPECT_EQ(DONE, host_imalog(h, "trim --json --before-delete '" COPY "' >$D/said"))
		host_said(h, "no error");
	EXPECT_EQ(DONE, host_shell(h, VERIFY_COPY)) host_said(h, "no error");
	EXPECT_TRUE(host_said(h, "chain 0: 9 records in 3 shards"));
	EXPECT_TRUE(host_said(h, "chain 1: 1 records in 1 shards"));
}

/* What it accepted is not given to it again, what it did not is. */
TEST_F_TIMEOUT(one, before_delete_goes_on_where_it_failed, SECONDS)
{
	const char *ask = "trim --before-delete 'echo $IMALOG_SHARD >>$D/asked; [ ! -e $D/no ]'";
	struct host *h = self->h;

	ASSERT_EQ(DONE, host_imalog(h, ask)) host_said(h, "no error");
	EXPECT_EQ(4, host_delete(h));
	ASSERT_EQ(0, measure(h, 1));
	ASSERT_EQ(0, host_shell(h, "touch $D/no"));
	EXPECT_EQ(REFUSED, host_imalog(h, ask));
	EXPECT_EQ(-ENOENT, host_delete(h));
	ASSERT_EQ(0, host_shell(h, "rm $D/no"));
	EXPECT_EQ(DONE, host_imalog(h, ask)) host_said(h, "no error");
	EXPECT_EQ(1, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, ask)) host_said(h, "no error");
	EXPECT_EQ(0, host_shell(h, "cd $D; echo $(sed s,.*/,, asked);"
				"set -- $(sed s,.*/,, asked);"
				"test $# = 4 -a $1$2 = 000000000000000000000004 -a $3 = $4"));
}

/* Another archive in the same place, whose shards have the names of the one before. */
TEST_F_TIMEOUT(one, before_delete_in_a_new_archive, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(DONE, host_imalog(h, "trim --before-delete true")) host_said(h, "no error");
	ASSERT_EQ(4, host_delete(h));
	ASSERT_EQ(0, reset(h));
	ASSERT_EQ(0, host_shell(h, "rm -r $D/archive/0*"));
	EXPECT_EQ(REFUSED, host_imalog(h, "trim --before-delete false"));
	EXPECT_EQ(DONE, host_imalog(h, "trim --before-delete 'touch $D/asked'"))
		host_said(h, "no error");
	EXPECT_EQ(0, host_shell(h, "ls $D/asked"));
}

/* It is too late after the round, but nothing goes that was not accepted. */
TEST_F_TIMEOUT(one, keep_boots_makes_room, SECONDS)
{
	const char *full = "trim --keep-boots 1 --min-free 1000000G";
	struct host *h = self->h;

	ASSERT_EQ(0, reset(h));
	ASSERT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(IO, host_imalog(h, "%s --before-delete true", full));
	EXPECT_EQ(0, host_shell(h, "ls -d $D/archive/000000"));
	EXPECT_EQ(IO, host_imalog(h, "%s", full));
	EXPECT_TRUE(host_said(h, "fewer than --min-free"));
	EXPECT_EQ(0, host_shell(h, "cd $D/archive; ls; test \"$(ls)\" = 000001"));
	EXPECT_EQ(DONE, host_imalog(h, "verify")) host_said(h, "no error");
}

/*
 * All is archived and deleted between the look at the kernel and the first read, which
 * gets what @first prints. Nothing is to be said of it.
 */
static int cat_beside_trim(struct host *h, const char *first)
{
	int ret;

	if (host_shell(h, "cd $D; cp -a ima before") || host_imalog(h, "trim") ||
	    host_delete(h) != 4)
		return -1;
	setenv("FIRST", first, 1);
	ret = host_shell(h, "set -e; cd $D; cat archive/*/*/records >all;"
			 "mv archive/000000/000000000004 shard; mv ima after; mv before ima;"
			 "rm ima/binary_runtime_measurements;"
			 "mkfifo ima/binary_runtime_measurements");
	return ret ?: host_shell(h, "cd $D; (exec 3>ima/binary_runtime_measurements;"
				 "mv shard archive/000000/000000000004; mv after/* ima;"
				 "eval \"$FIRST\" >&3; touch read) &\n"
				 "set -e;$IMALOG cat --archive archive --ima-dir ima 2>said | cmp - all;"
				 "wait; [ -e read ]; ! grep . said");
}

TEST_F_TIMEOUT(one, trim_beside_cat, SECONDS)
{
	EXPECT_EQ(0, cat_beside_trim(self->h, ":"))
		host_said(self->h, "no error");
}

TEST_F_TIMEOUT(one, trim_beside_cat_within_a_record, SECONDS)
{
	EXPECT_EQ(0, cat_beside_trim(self->h, "head -c 300 /dev/zero | tr '\\0' '\\377'"))
		host_said(self->h, "no error");
}

/* Begin a proof; a trim comes; then prove what was measured since. */
static enum status prove_beside_trim(struct host *h, bool anew, struct proof *p)
{
	struct options opt = { .archive = "" };
	char archive[80], ima[80], tcti[80];
	struct tpm t = { .tpm = NULL };
	enum status status;
	struct archive a;
	struct kernel k;

	snprintf(archive, sizeof(archive), "%s/archive", h->dir);
	snprintf(ima, sizeof(ima), "%s/ima", h->dir);
	snprintf(tcti, sizeof(tcti), "swtpm:host=127.0.0.1,port=%d", h->port);
	opt.tcti = tcti;
	status = archive_open(&a, archive, false) ?: kernel_open(&k, ima) ?:
		 prove_init(p, &opt, &a, &k, &t, NULL);
	p->anew = anew;
	if (!status)
		status = host_imalog(h, "trim");
	if (host_delete(h) <= 0 || measure(h, 2))
		status = IO;
	status = status ?: tpm_open(&t, &opt) ?: prove(p);
	prove_end(p);
	tpm_close(&t);
	kernel_close(&k);
	archive_close(&a);
	return status;
}

/* The archive may go on before the kernel is looked at. */
TEST_F_TIMEOUT(one, trim_beside_verify, SECONDS)
{
	struct proof *p = malloc(sizeof(*p));

	ASSERT_NE(NULL, p);
	EXPECT_EQ(DONE, prove_beside_trim(self->h, false, p));
	EXPECT_EQ(8, p->end);
	EXPECT_EQ(10, p->proven);
	free(p);
}

/* And has begun the chain that verify was to look for. */
TEST_F_TIMEOUT(one, trim_beside_verify_after_a_restart, SECONDS)
{
	struct proof *p = malloc(sizeof(*p));
	struct host *h = self->h;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, shut_down_and_start(h, "tpm2_shutdown -Q", HOST_CLEAR));
	ASSERT_EQ(0, boot(h));
	EXPECT_EQ(DONE, prove_beside_trim(h, true, p));
	EXPECT_EQ(1, p->chain);
	EXPECT_EQ(1, p->end);
	EXPECT_EQ(3, p->proven);
	EXPECT_FALSE(p->aligned);
	free(p);
}

/* Its clock and counters begin anew, and the attestation key stays the same. */
TEST_F_TIMEOUT(one, tpm_was_cleared, SECONDS)
{
	ASSERT_EQ(0, host_shell(self->h, "tpm2_clear -Q -c platform"));
	EXPECT_TRUE(trim_is_refused(self->h,
				    "its clock or number of resets is behind"));
	EXPECT_EQ(REFUSED, host_imalog(self->h, "verify"));
}

TEST_F_TIMEOUT(one, record_that_another_program_deleted, SECONDS)
{
	self->h->removed++;
	ASSERT_EQ(0, host_write_list(self->h));
	EXPECT_TRUE(trim_is_refused(self->h,
				    "records 4 to 4 were deleted by another program"));
}

/* kexec, with records of two shards that were not deleted */
TEST_F_TIMEOUT(one, kexec_of_what_several_shards_have, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 4")) host_said(h, "no error");
	ASSERT_EQ(0, measure(h, 2));
	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 4")) host_said(h, "no error");
	ASSERT_EQ(2, host_delete(h));
	ASSERT_EQ(0, host_new_kernel(h));
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_TRUE(host_said(h, "place in the log was found by replaying it"));
	EXPECT_EQ(4, host_delete(h));
}

TEST_F_TIMEOUT(one, kexec_of_a_kernel_with_other_hashes, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_had_other_hashes(h));
	ASSERT_EQ(0, host_new_kernel(h));
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_TRUE(trim_is_refused(h, "this kernel extends bank sha256 in another way"));
}

TEST_F_TIMEOUT(one, status_with_another_key, SECONDS)
{
	struct host *h = self->h;

	EXPECT_EQ(DONE, host_imalog(h, "status"));
	EXPECT_TRUE(host_said(h, "trim:     would archive 4 records"));
	/* another seed of the endorsement hierarchy, so another key */
	ASSERT_EQ(0, host_shell(h, "tpm2_changeeps -Q")) host_said(h, "no error");
	EXPECT_EQ(REFUSED, host_imalog(h, "status"));
	EXPECT_TRUE(host_said(h, "signed by another attestation key"));
	EXPECT_TRUE(trim_is_refused(h, "signed by another attestation key"));
	/* only a quote tells where the list of another kernel is in the log */
	ASSERT_EQ(0, host_new_kernel(h));
	EXPECT_EQ(REFUSED, host_imalog(h, "cat"));
	EXPECT_TRUE(host_said(h, "signed by another attestation key"));
}

#define TRIM_OTHER	"$IMALOG trim --ak $D/ak --archive $D/other --ima-dir $D/ima"

/*
 * A key with a password in a file, and the endorsement hierarchy with one, whose primary
 * key is the parent: 0x4000000b there. tpm2_encodeobject writes 0x40000001.
 */
static const char make_passwords[] =
	"set -e; cd $D; f='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|';"
	"tpm2_createprimary -Q -C e -G ecc256:aes128cfb -a \"${f}noda|decrypt\" -c parent;"
	"tpm2_create -Q -C parent -G ecc256:ecdsa:null -a \"${f}sign\" -p key -u pub -r priv;"
	"tpm2_encodeobject -Q -C parent -u pub -r priv -p -o owned; tpm2_flushcontext -t;"
	"sed /-----/d owned | base64 -d >der;"
	"printf '\\13' | dd of=der bs=1 seek=21 conv=notrunc;"
	"n='TSS2 PRIVATE KEY-----';"
	"{ echo \"-----BEGIN $n\"; base64 -w 64 der; echo \"-----END $n\"; } >ak;"
	"tpm2_changeauth -Q -c e secret";

TEST_F_TIMEOUT(one, passwords, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_shell(h, make_passwords)) host_said(h, "no error");
	EXPECT_EQ(TPM, host_imalog(h, "trim"));
	ASSERT_EQ(0, setenv("IMALOG_EH_AUTH", "secret", 1));
	EXPECT_EQ(DONE, host_imalog(h, "trim --before-delete '! env | grep IMALOG.*_AUTH'"))
		host_said(h, "no error");
	EXPECT_EQ(DONE, host_imalog(h, "verify")) host_said(h, "no error");
	/* one that has to begin with record 0, which is not in the kernel any more */
	EXPECT_EQ(TPM, host_shell(h, TRIM_OTHER));
	ASSERT_EQ(0, setenv("IMALOG_AK_AUTH", "key", 1));
	EXPECT_EQ(REFUSED, host_shell(h, TRIM_OTHER));
	EXPECT_TRUE(host_said(h, "4 records were deleted by another program"));
	ASSERT_EQ(0, setenv("IMALOG_EH_AUTH", "wrong", 1));
	EXPECT_EQ(TPM, host_shell(h, TRIM_OTHER));
	EXPECT_TRUE(host_said(h, "parent of the key"));
	EXPECT_EQ(TPM, host_imalog(h, "verify"));
}

TEST_F_TIMEOUT(one, status_where_nothing_can_be_deleted, SECONDS)
{
	struct host *h = self->h;

	h->removed = 0;
	ASSERT_EQ(0, host_write_list(h));
	ASSERT_EQ(0, host_shell(h, "cd $D/ima; rm runtime_measurements_removed; chmod 440 *"));
	EXPECT_EQ(DONE, host_imalog(h, "status"));
	EXPECT_TRUE(host_said(h, "deletes:  not: it needs CONFIG_IMA_STAGING"));
	EXPECT_EQ(NULL, strstr(h->output, "trim:"));
	EXPECT_EQ(DONE, host_imalog(h, "status --json"));
	EXPECT_TRUE(host_said(h, "\"deletable\":0,"));
}

TEST_F_TIMEOUT(one, status_without_what_it_tells_of, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_shell(h, "mv $D/archive $D/away; touch $D/archive"));
	EXPECT_EQ(IO, host_imalog(h, "status"));
	EXPECT_EQ(NULL, strstr(h->output, "empty"));
	EXPECT_EQ(IO, host_imalog(h, "verify --json"));
	EXPECT_EQ(NULL, strstr(h->output, "\"ak\""));
	ASSERT_EQ(0, host_shell(h, "mv $D/ima $D/elsewhere"));
	EXPECT_EQ(IO, host_imalog(h, "status --json"));
	EXPECT_TRUE(host_said(h, "\"error\":"));
	EXPECT_EQ(NULL, strstr(h->output, "\"records\""));
}

/* Whatever their names, and none of another file system. */
TEST_F_TIMEOUT(one, status_tells_who_has_files_open, SECONDS)
{
	struct host *h = self->h;
	char pid[32];
	int fd;

	fd = memfd_create("/ima/x_runtime_measurements", 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, host_shell(h,
				"set -e; mkdir $D/x $D/x/ima; e=$(printf '\\033[2J\\351');"
				"exec 7>\"$D/x/ima/$e\"_runtime_measurements;"
				"$IMALOG status --archive $D/archive --ima-dir $D/ima"));
	EXPECT_TRUE(host_said(h, "open:     ?[2J?_runtime_measurements, to write, by"));
	EXPECT_EQ(NULL, strchr(h->output, '\033'));
	snprintf(pid, sizeof(pid), "by %d (", getpid());
	EXPECT_EQ(NULL, strstr(h->output, pid));
	close(fd);
}

/* With no archive, too, only a quote tells whether the log begins there. */
TEST_F_TIMEOUT(one, cat_without_the_archive, SECONDS)
{
	const char *cat = "$IMALOG cat --ascii --archive $D/typo --ima-dir $D/ima >$D/log;"
			  "ret=$?; wc -l <$D/log; exit $ret";
	struct host *h = self->h;

	ASSERT_EQ(0, host_new_kernel(h));
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(REFUSED, host_shell(h, "%s", cat));
	EXPECT_TRUE(host_said(h, "0\n"));
	EXPECT_TRUE(host_said(h, "does not lead from the TPM's reset to its PCRs"));
	EXPECT_TRUE(host_said(h, "typo: there is no archive"));
	/* tpm2-tss 4.1 leaks its own context if there is no TPM */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	kill(h->tpm, SIGKILL);
	EXPECT_EQ(DONE, host_shell(h, "%s", cat));
	EXPECT_TRUE(host_said(h, "4\n"));
	EXPECT_TRUE(host_said(h, "the kernel's first record is taken for the first of the log"));
}

/* Neither the TPM nor the kernel has such a bank: as any program shows it that has the hash. */
TEST_F_TIMEOUT(one, cat_in_a_bank_that_is_not_there, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_shell(h,
				"set -e; c=\"$IMALOG cat --ascii --archive $D/archive --hash sha512\";"
				"$c --boot 0 >$D/old; $c --ima-dir $D/ima >$D/all;"
				"test $(wc -l <$D/old) = 4; test $(wc -l <$D/all) = 8;"
				"head -n 4 $D/all | cmp - $D/old")) host_said(h, "no error");
}

/* A dry run says of them what trim then does. */
TEST_F_TIMEOUT(one, dry_run_with_staged_records, SECONDS)
{
	struct host *h = self->h;

	h->staged = 4;
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(BUSY, host_imalog(h, "trim --dry-run"));
	EXPECT_TRUE(host_said(h, "another program has staged records"));
	EXPECT_EQ(NULL, strstr(h->output, "deleted: 4"));
	EXPECT_EQ(DONE, host_imalog(h, "trim --dry-run --keep 4")) host_said(h, "no error");
	EXPECT_TRUE(host_said(h, "would be archived: records 4 to 7"));
	EXPECT_TRUE(host_said(h, "would be deleted: 0 records"));
	EXPECT_EQ(BUSY, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "another program has staged records"));
	EXPECT_EQ(-ENOENT, host_delete(h));
	EXPECT_EQ(BUSY, host_imalog(h, "trim --dry-run --json"));
	EXPECT_TRUE(host_said(h, "\"error\":"));
}

TEST_F_TIMEOUT(one, dry_run_looks_at_min_free, SECONDS)
{
	struct host *h = self->h;

	EXPECT_EQ(IO, host_imalog(h, "trim --min-free 9999999G"));
	EXPECT_EQ(IO, host_imalog(h, "trim --dry-run --min-free 9999999G"));
	EXPECT_TRUE(host_said(h, "fewer than --min-free"));
	EXPECT_EQ(DONE, host_imalog(h, "trim --dry-run")) host_said(h, "no error");
	/* one that is not there yet would be on the disk of what leads to it */
	h->removed = 0;
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(IO, host_shell(h, "cd $D; set -- --ima-dir ima --min-free 9999999G;"
				 "$IMALOG trim --dry-run --archive a/new/one $*"));
	EXPECT_TRUE(host_said(h, "a/new/one: leaves "));
	EXPECT_EQ(DONE, host_shell(h, "set -e; cd $D;"
				   "$IMALOG trim --dry-run --ima-dir ima --archive new;"
				   "! ls -d a new")) host_said(h, "no error");
}

/* The verifier's tools may write it in capitals; the archive does not. */
TEST_F_TIMEOUT(one, nonce_in_capitals, SECONDS)
{
	struct host *h = self->h;

	EXPECT_EQ(DONE, host_imalog(h, "trim --nonce DEADbeef")) host_said(h, "no error");
	EXPECT_EQ(0, host_shell(h, "grep '\"verifier\":\"deadbeef\"' $D/archive/*/*/shard.json"));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
}

/* Of a round that deletes what was archived before, and then fails, this is told. */
TEST_F_TIMEOUT(one, watch_tells_what_a_failed_round_deleted, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, reset(h));
	ASSERT_EQ(0, measure(h, 2));
	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 3")) host_said(h, "no error");
	/* in the way of the chain that is to be dropped */
	EXPECT_EQ(0, host_shell(h, "unset JOURNAL_STREAM; cd $D; old='mkdir -p archive/.old/x';"
				"set -- --archive archive --ima-dir ima --keep-boots 1;"
				"$IMALOG watch --before-delete \"$old\" $* >out 2>err &\n"
				"for i in $(seq 600); do grep -q 'tried again' err && break;"
				"sleep .1; done; kill $!; wait $!; cat out err;"
				"grep -q 'archive/000000: remove: ' err"));
	EXPECT_TRUE(host_said(h, "0 records archived, 3 deleted, 0 left"));
}

TEST_F_TIMEOUT(one, others_extend_pcr_10, SECONDS)
{
	struct host *h = self->h;

	ASSERT_EQ(0, host_shell(h, "tpm2_pcrextend 10:sha1=$(printf %%040d 1)"));
	ASSERT_EQ(0, measure(h, 3));
	EXPECT_TRUE(trim_is_refused(h, "or others than IMA extend PCR 10"));
}

/* A record was exchanged for another, with a digest that fits. */
TEST_F_TIMEOUT(one, altered_list, SECONDS)
{
	struct host *h = self->h;
	struct maker_record kept = h->record[5];

	h->record[5] = h->record[6];
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(REFUSED, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "do not lead to the TPM's PCRs"));
	h->record[5] = kept;
	ASSERT_EQ(0, host_write_list(h));
	ASSERT_EQ(0, host_shell(h,
				"printf '~' | dd of=$D/ima/binary_runtime_measurements bs=1 seek=%zu conv=notrunc",
				h->record[4].len + 70));
	EXPECT_EQ(REFUSED, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "record 5 at offset"));
	EXPECT_TRUE(host_said(h, "template digest is not that of the data"));
	EXPECT_EQ(-ENOENT, host_delete(h));
}

/* What the archive has is altered in the kernel. */
TEST_F_TIMEOUT(one, list_differs_from_archive, SECONDS)
{
	struct host *h = self->h;
	struct maker_record kept;

	ASSERT_EQ(DONE, host_imalog(h, "trim --keep 4"));
	ASSERT_EQ(-ENOENT, host_delete(h));
	kept = h->record[5];
	h->record[5] = h->record[6];
	h->record[6] = kept;
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(REFUSED, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "record 5 is not the one in the archive"));
	h->removed = 7;
	ASSERT_EQ(0, host_write_list(h));
	ASSERT_EQ(0, host_shell(h, "echo 5 >$D/ima/runtime_measurements_removed"));
	EXPECT_EQ(REFUSED, host_imalog(h, "trim"));
}

TEST_F_TIMEOUT(one, tpm_that_ends, SECONDS)
{
	struct host *h = self->h;

	kill(h->tpm, SIGKILL);
	/* tpm2-tss 4.1 leaks its own context if there is no TPM */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	EXPECT_EQ(TPM, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "imalog: TPM: "));
	EXPECT_EQ(TPM, host_imalog(h, "verify"));
	EXPECT_EQ(-ENOENT, host_delete(h));
}

/* No resource manager is between imalog and this TPM that would clean up behind it. */
TEST_F_TIMEOUT(one, rounds_leave_nothing_in_the_tpm, 2 * SECONDS)
{
	int rounds = atoi(getenv("ROUNDS") ?: ROUNDS), i;
	struct host *h = self->h;

	for (i = 0; i < rounds; i++) {
		if (i % 20 == 0)
			ASSERT_EQ(0, measure(h, 1));
		ASSERT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
		EXPECT_EQ(i ? i % 20 ? -ENOENT : 1 : 5, host_delete(h));
	}
	ASSERT_EQ(0, host_shell(h, "for c in transient loaded-session saved-session; do\n"
				"tpm2_getcap handles-$c; done"));
	EXPECT_STREQ("", h->output);
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	printf("# figure: rounds after which nothing was left in a TPM: %d\n", i);
}

/* One that was built without the hashes of other banks than sha1. */
static struct host *make_host_of(enum ima_log_fill fill)
{
	struct host *h = make_host("sha1,sha256", true);

	if (!h)
		return NULL;
	h->fill = fill;
	h->num = 0;
	if (!shut_down_and_start(h, "tpm2_shutdown -Q -c", HOST_CLEAR) && !measure(h, 3) &&
	    !host_shell(h, "rm -f $D/ima/*_sha256*") && !host_write_list(h))
		return h;
	host_end(h);
	free(h);
	return NULL;
}

/* What is staged tells how banks are extended, if all is. */
TEST(padded_bank_and_all_is_staged)
{
	struct host *h = make_host_of(IMA_LOG_PADDED);

	ASSERT_NE(NULL, h);
	h->staged = 3;
	ASSERT_EQ(0, host_write_list(h));
	EXPECT_EQ(BUSY, host_imalog(h, "trim"));
	EXPECT_TRUE(host_said(h, "another program has staged records"));
	EXPECT_EQ(0, host_shell(h, "grep 'extended_with.*padded' $D/archive/*/*/shard.json"));
	h->removed = 3;
	h->staged = 0;
	ASSERT_EQ(0, measure(h, 2));
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(2, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	host_end(h);
	free(h);
}

/* A list of an algorithm that the kernel does not know, before the first shard and after. */
TEST(list_of_an_unknown_algorithm)
{
	const char *same = "cd $D; set -- --archive archive --ima-dir ima;"
			   "for hash in sha256 tpm_alg_b; do\n"
			   "$IMALOG cat --hash $hash $* | cmp - whole || exit; done";
	struct host *h = make_host_of(IMA_LOG_UNMAPPED);

	ASSERT_NE(NULL, h);
	ASSERT_EQ(0, host_shell(h, "cp $D/ima/*ts_tpm_alg_b $D/whole"));
	EXPECT_EQ(0, host_shell(h, "%s", same)) host_said(h, "no error");
	EXPECT_EQ(DONE, host_imalog(h, "trim")) host_said(h, "no error");
	EXPECT_EQ(3, host_delete(h));
	EXPECT_EQ(0, host_shell(h, "%s", same)) host_said(h, "no error");
	host_end(h);
	free(h);
}

/*
 * A kernel that does not tell what has left its list, and the same record all the time:
 * the content fits many places, the replay one.
 */
TEST(list_of_the_same_records)
{
	struct host *h = make_host("sha1,sha256", false);
	unsigned int i, j;

	ASSERT_NE(NULL, h);
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, host_measure(h, "/bin/again", true));
		ASSERT_EQ(DONE, host_imalog(h, "trim --keep 3 --json"))
			host_said(h, "no error");
		EXPECT_EQ(i ? 4 : 2, host_delete(h));
		/* nothing new: the three are found, not taken for new ones */
		ASSERT_EQ(DONE, host_imalog(h, "trim --keep 3 --json"));
		EXPECT_TRUE(host_said(h, "\"archived\":0"));
		EXPECT_EQ(-ENOENT, host_delete(h));
	}
	ASSERT_EQ(DONE, host_imalog(h, "trim --json"));
	EXPECT_EQ(3, host_delete(h));
	EXPECT_EQ(DONE, host_imalog(h, "verify"));
	EXPECT_TRUE(host_said(h, "17 records"));
	host_end(h);
	free(h);
}

TEST_HARNESS_MAIN
