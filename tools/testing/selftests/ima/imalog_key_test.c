// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog with attestation keys that were made before: kept by the TPM (a handle) or in
 * a file (TSS2 PRIVATE KEY), of each kind; and with a key that is not the archive's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define HANDLE	"0x81010042"
#define ECDSA	"ecc256:ecdsa-sha256:null"
#define FIXED	"fixedtpm|fixedparent|sensitivedataorigin|userwithauth|"
#define PARENT	FIXED "noda|restricted|decrypt"
#define AK	FIXED "restricted|sign"
#define PLAIN	FIXED "sign"	/* signs whatever it is given */
#define SECONDS	600	/* RSA keys take an emulated TPM a while */

/* A command of tpm2-tools in /root/key: it tells why it fails. */
__printf(1, 2) static int tpm(const char *fmt, ...)
{
	char command[512];
	va_list args;
	int ret;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	ret = imalog_shell("cd /root/key && %s 2>&1", command);
	if (ret)
		imalog_says("no error");
	imalog_shell("tpm2_flushcontext -t");
	return ret;
}

FIXTURE(key)
{
};

FIXTURE_VARIANT(key)
{
	const char *alg;
};

FIXTURE_VARIANT_ADD(key, ecc_p256)
{
	.alg = ECDSA,
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
	ASSERT_EQ(0, imalog_shell("rm -rf /root/key; mkdir -p /root/key"));
	ASSERT_EQ(0, tpm("tpm2_createprimary -C o -G ecc256:aes128cfb -a '" PARENT "' -c parent"));
	ASSERT_EQ(0, tpm("tpm2_create -C parent -G %s -g sha256 -a '" AK "' -u pub -r priv",
			 variant->alg));
	ASSERT_EQ(0, tpm("tpm2_load -C parent -u pub -r priv -c ak"));
	ASSERT_EQ(0, tpm("tpm2_readpublic -c ak -f pem -o ak.pem"));
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
	ASSERT_EQ(0, tpm("tpm2_evictcontrol -C o -c ak " HANDLE));
	EXPECT_EQ(0, trim_and_verify(HANDLE))
		imalog_says("no error");
	ASSERT_EQ(0, tpm("tpm2_encodeobject -C parent -u pub -r priv -o ak.tss2"));
	EXPECT_EQ(0, trim_and_verify("/root/key/ak.tss2"))
		imalog_says("no error");
	EXPECT_EQ(0, tpm("tpm2_evictcontrol -C o -c " HANDLE));
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
	ASSERT_EQ(0, imalog_shell("mkdir -p /root/key"));
	ASSERT_EQ(0, tpm("tpm2_createprimary -C o -G " ECDSA " -a '" AK "' -c owned"));
	ASSERT_EQ(0, tpm("tpm2_evictcontrol -C o -c owned " HANDLE));
	ASSERT_EQ(0, tpm("tpm2_readpublic -c " HANDLE " -f pem -o o.pem"));
	ASSERT_EQ(0, tpm("tpm2_createprimary -C o -G " ECDSA " -a '" PLAIN "' -c plain"));
	ASSERT_EQ(0, tpm("tpm2_evictcontrol -C o -c plain 0x81010043"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim --ak 0x81010043"));
	EXPECT_TRUE(imalog_says("not a TPM's restricted signing key"));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --ak 0x81010044"));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --ak /root/key/o.pem"));
	EXPECT_TRUE(imalog_says("TSS2 PRIVATE KEY"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --ak " HANDLE));
	ASSERT_EQ(0, ima_measure_files(5));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim"));
	EXPECT_TRUE(imalog_says("by another attestation key"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("verify"));
	EXPECT_EQ(IMALOG_DONE, imalog("trim --ak " HANDLE));
	EXPECT_EQ(IMALOG_DONE, imalog("verify --ak " HANDLE));
	EXPECT_EQ(IMALOG_DONE, imalog("verify --offline --ak /root/key/o.pem"));
	EXPECT_EQ(IMALOG_DONE, imalog("status --ak " HANDLE));
}

TEST_HARNESS_MAIN
