// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog with attestation keys that were made before: kept by the TPM (a handle) or in
 * a file (TSS2 PRIVATE KEY), of each kind; and with a key that is not the archive's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define HANDLE	"0x81010042"
#define AK	"fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign"
#define SECONDS	600	/* RSA keys take an emulated TPM a while */

FIXTURE(key)
{
};

FIXTURE_VARIANT(key)
{
	const char *alg;
};

FIXTURE_VARIANT_ADD(key, ecc_p256)
{
	.alg = "ecc256:ecdsa-sha256:null",
};

FIXTURE_VARIANT_ADD(key, ecc_p384)
{
	.alg = "ecc384:ecdsa-sha384:null",
};

FIXTURE_VARIANT_ADD(key, rsa_2048_rsassa)
{
	.alg = "rsa2048:rsassa-sha256:null",
};

FIXTURE_VARIANT_ADD(key, rsa_2048_rsapss)
{
	.alg = "rsa2048:rsapss-sha256:null",
};

FIXTURE_VARIANT_ADD(key, rsa_3072_rsassa)
{
	.alg = "rsa3072:rsassa-sha384:null",
};

FIXTURE_SETUP(key)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_shell("mkdir -p /root/key && cd /root/key && rm -rf * && exec 2>&1; tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt' -c parent && tpm2_create -Q -C parent -G %s -g sha256 -a '" AK "' -u pub -r priv && tpm2_load -Q -C parent -u pub -r priv -c ak && tpm2_readpublic -Q -c ak -f pem -o ak.pem && tpm2_flushcontext -Q -t",
				  variant->alg))
		imalog_says("no error");
}

FIXTURE_TEARDOWN(key)
{
}

/* An archive for each key; all stays in the kernel, for the next has to begin with it. */
static int trim_and_verify(const char *ak)
{
	if (ima_measure_files(5))
		return -1;
	return imalog("trim --keep 1000000 --ak %s --archive /root/key/a", ak) ?:
	       imalog("status --ak %s --archive /root/key/a", ak) ?:
	       imalog("verify --ak %s --archive /root/key/a", ak) ?:
	       imalog("verify --offline --ak /root/key/ak.pem /root/key/a");
}

TEST_F_TIMEOUT(key, by_handle_and_as_file, SECONDS)
{
	ASSERT_EQ(0, imalog_shell("cd /root/key && tpm2_load -Q -C parent -u pub -r priv -c ak 2>&1 && tpm2_evictcontrol -Q -C o -c ak " HANDLE " && tpm2_flushcontext -Q -t"))
		imalog_says("no error");
	EXPECT_EQ(0, trim_and_verify(HANDLE))
		imalog_says("no error");
	ASSERT_EQ(0, imalog_shell("cd /root/key && tpm2_encodeobject -Q -C parent -u pub -r priv -o ak.tss2 2>&1"))
		imalog_says("no error");
	EXPECT_EQ(0, trim_and_verify("/root/key/ak.tss2"))
		imalog_says("no error");
	EXPECT_EQ(0, imalog_shell("tpm2_evictcontrol -Q -C o -c " HANDLE));
}

FIXTURE(enrolled)
{
};

FIXTURE_SETUP(enrolled)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(enrolled)
{
}

/* One archive, one key; and what is not a key to attest with is refused. */
TEST_F_TIMEOUT(enrolled, archive_belongs_to_one_key, SECONDS)
{
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, imalog_shell("cd /root && tpm2_createprimary -Q -C o -G ecc256:ecdsa-sha256:null -a '" AK "' -c owned && tpm2_evictcontrol -Q -C o -c owned " HANDLE " 2>&1 && tpm2_readpublic -Q -c " HANDLE " -f pem -o o.pem && tpm2_createprimary -Q -C o -G ecc256:ecdsa-sha256:null -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' -c plain && tpm2_evictcontrol -Q -C o -c plain 0x81010043 && tpm2_flushcontext -Q -t"))
		imalog_says("no error");
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim --ak 0x81010043"));
	EXPECT_TRUE(imalog_says("not a TPM's restricted signing key"));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --ak 0x81010044"));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --ak /root/o.pem"));
	EXPECT_TRUE(imalog_says("TSS2 PRIVATE KEY"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --ak " HANDLE));
	ASSERT_EQ(0, ima_measure_files(5));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim"));
	EXPECT_TRUE(imalog_says("by another attestation key"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("verify"));
	EXPECT_EQ(IMALOG_DONE, imalog("trim --ak " HANDLE));
	EXPECT_EQ(IMALOG_DONE, imalog("verify --ak " HANDLE));
	EXPECT_EQ(IMALOG_DONE, imalog("verify --offline --ak /root/o.pem"));
	EXPECT_EQ(IMALOG_DONE, imalog("status --ak " HANDLE));
}

TEST_HARNESS_MAIN
