// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quotes by each kind of attestation key: a TPM's own verifies, and one of a bit
 * less, by another key, or for another question is refused (tools/ima/ima_quote.c,
 * ima_quote_verify.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "ima_quote.h"
#include "ima_test.h"

#define ALG_SHA1	0x0004
#define ALG_SHA256	0x000b
#define ALG_SHA384	0x000c
#define ALG_SHA512	0x000d
#define ALG_RSASSA	0x14
#define ALG_RSAPSS	0x16
#define ALG_ECSCHNORR	0x1c
#define NONCE_LEN	32

/* Behind these bytes of a TPM2B_PUBLIC is what says how a signature is made. */
#define PUBLIC_PARAMETERS 12

static const __u8 nonce[NONCE_LEN] = "not random, but fixed";

FIXTURE(quote)
{
	struct ima_quote_tpm *tpm;
	struct ima_quote_blob ak;
	struct ima_log_selection select;
	struct ima_quote quote;
};

FIXTURE_VARIANT(quote)
{
	struct ima_quote_kind kind;
};

FIXTURE_VARIANT_ADD(quote, ecdsa_p256_sha256)
{
	.kind = { IMA_QUOTE_ECDSA, 256, ALG_SHA256 },
};

FIXTURE_VARIANT_ADD(quote, ecdsa_p384_sha384)
{
	.kind = { IMA_QUOTE_ECDSA, 384, ALG_SHA384 },
};

FIXTURE_VARIANT_ADD(quote, ecdsa_p384_sha512)
{
	.kind = { IMA_QUOTE_ECDSA, 384, ALG_SHA512 },
};

FIXTURE_VARIANT_ADD(quote, rsassa_sha256)
{
	.kind = { IMA_QUOTE_RSASSA, 2048, ALG_SHA256 },
};

FIXTURE_VARIANT_ADD(quote, rsassa_sha384)
{
	.kind = { IMA_QUOTE_RSASSA, 2048, ALG_SHA384 },
};

FIXTURE_VARIANT_ADD(quote, rsassa_sha512)
{
	.kind = { IMA_QUOTE_RSASSA, 2048, ALG_SHA512 },
};

FIXTURE_VARIANT_ADD(quote, rsapss_sha256)
{
	.kind = { IMA_QUOTE_RSAPSS, 2048, ALG_SHA256 },
};

FIXTURE_VARIANT_ADD(quote, rsapss_sha384)
{
	.kind = { IMA_QUOTE_RSAPSS, 2048, ALG_SHA384 },
};

FIXTURE_VARIANT_ADD(quote, rsapss_sha512)
{
	.kind = { IMA_QUOTE_RSAPSS, 2048, ALG_SHA512 },
};

FIXTURE_SETUP(quote)
{
	int err;

	setenv("TSS2_LOG", "all+NONE", 0);
	err = ima_quote_open(&self->tpm, NULL);
	if (err == -ENODEV)
		SKIP(return, "no TPM 2.0: %s", ima_quote_error(self->tpm));
	ASSERT_EQ(0, err) TH_LOG("%s", ima_quote_error(self->tpm));
	ASSERT_EQ(0, ima_quote_create_ak(self->tpm, IMA_QUOTE_OWNER, &variant->kind,
					 NULL, &self->ak))
		TH_LOG("%s", ima_quote_error(self->tpm));
	ASSERT_EQ(0, ima_quote_banks(self->tpm, 1 << 10, &self->select));
	ASSERT_EQ(0, ima_quote_take(self->tpm, &self->select, nonce, NONCE_LEN,
				    &self->quote))
		TH_LOG("%s", ima_quote_error(self->tpm));
}

FIXTURE_TEARDOWN(quote)
{
	ima_quote_close(self->tpm);
}

/* With a fixed nonce, for any PCRs. Return: as ima_quote_verify() */
static int verify(const struct ima_quote *quote, const struct ima_quote_blob *ak)
{
	struct ima_log_target target;
	const char *why;

	return ima_quote_verify(quote, ak, NULL, nonce, NONCE_LEN, &target, &why);
}

TEST_F_TIMEOUT(quote, of_the_pcrs_as_they_are_verifies, IMA_TIMEOUT)
{
	struct ima_quote_values values;
	struct ima_log_target target;
	const char *why = NULL;

	ASSERT_EQ(0, ima_quote_verify(&self->quote, &self->ak, &self->select, nonce,
				      NONCE_LEN, &target, &why)) TH_LOG("%s", why);
	EXPECT_EQ(variant->kind.hash, target.alg);
	ASSERT_EQ(0, ima_quote_read_pcrs(self->tpm, &self->select, &values))
		TH_LOG("%s", ima_quote_error(self->tpm));
	EXPECT_EQ(1, ima_quote_verify_values(&target, &values));
	values.value[0][10][0] ^= 1;
	EXPECT_EQ(0, ima_quote_verify_values(&target, &values));
}

TEST_F_TIMEOUT(quote, for_another_question_is_refused, IMA_TIMEOUT)
{
	struct ima_log_selection other = self->select;
	__u8 asked[NONCE_LEN];
	struct ima_log_target target;
	const char *why;

	memcpy(asked, nonce, sizeof(asked));
	EXPECT_EQ(-EBADMSG, ima_quote_verify(&self->quote, &self->ak, &self->select,
					     asked, NONCE_LEN - 1, &target, &why));
	asked[0] ^= 1;
	EXPECT_EQ(-EBADMSG, ima_quote_verify(&self->quote, &self->ak, &self->select,
					     asked, NONCE_LEN, &target, &why));
	asked[0] ^= 1;
	other.bank[0].pcrs |= 1;
	EXPECT_EQ(-EBADMSG, ima_quote_verify(&self->quote, &self->ak, &other, asked,
					     NONCE_LEN, &target, &why));
	EXPECT_EQ(0, ima_quote_verify(&self->quote, &self->ak, &self->select, asked,
				      NONCE_LEN, &target, &why));
}

TEST_F_TIMEOUT(quote, with_a_flipped_bit_is_refused, IMA_TIMEOUT)
{
	struct ima_quote *quote = &self->quote;
	size_t i;

	ASSERT_EQ(0, verify(quote, &self->ak));
	for (i = 0; i < quote->attest.size; i++) {
		quote->attest.data[i] ^= 0x10;
		EXPECT_NE(0, verify(quote, &self->ak)) TH_LOG("byte %zu", i);
		quote->attest.data[i] ^= 0x10;
	}
	for (i = 0; i < quote->signature.size; i++) {
		quote->signature.data[i] ^= 0x10;
		EXPECT_NE(0, verify(quote, &self->ak)) TH_LOG("byte %zu", i);
		quote->signature.data[i] ^= 0x10;
	}
	for (i = PUBLIC_PARAMETERS; i < self->ak.size; i++) {
		self->ak.data[i] ^= 0xff;
		EXPECT_NE(0, verify(quote, &self->ak)) TH_LOG("byte %zu of the key", i);
		self->ak.data[i] ^= 0xff;
	}
	EXPECT_EQ(0, verify(quote, &self->ak));
}

/* TPMT_SIGNATURE begins with the scheme and the hash: not as the key has them */
TEST_F_TIMEOUT(quote, by_another_scheme_or_hash_is_refused, IMA_TIMEOUT)
{
	__u8 *scheme = &self->quote.signature.data[1];
	__u8 *hash = &self->quote.signature.data[3];
	const __u8 is_scheme = *scheme, is_hash = *hash;

	ASSERT_EQ(variant->kind.hash, is_hash);
	*hash = is_hash == ALG_SHA256 ? ALG_SHA384 : ALG_SHA256;
	EXPECT_EQ(-EOPNOTSUPP, verify(&self->quote, &self->ak));
	*hash = is_hash;
	*scheme = is_scheme == ALG_RSASSA ? ALG_RSAPSS :
		  is_scheme == ALG_RSAPSS ? ALG_RSASSA : ALG_ECSCHNORR;
	EXPECT_EQ(-EOPNOTSUPP, verify(&self->quote, &self->ak));
	*scheme = is_scheme;
	EXPECT_EQ(0, verify(&self->quote, &self->ak));
}

TEST_F_TIMEOUT(quote, by_another_key_is_refused, IMA_TIMEOUT)
{
	struct ima_quote_kind kind = variant->kind;
	struct ima_quote_blob other;

	ASSERT_EQ(0, ima_quote_create_ak(self->tpm, IMA_QUOTE_ENDORSEMENT, &kind,
					 NULL, &other));
	EXPECT_EQ(-EKEYREJECTED, verify(&self->quote, &other));
	/* of another kind, and cheap to make */
	kind.bits = kind.bits == 256 ? 384 : 256;
	kind.scheme = IMA_QUOTE_ECDSA;
	ASSERT_EQ(0, ima_quote_create_ak(self->tpm, IMA_QUOTE_OWNER, &kind, NULL,
					 &other));
	EXPECT_GT(0, verify(&self->quote, &other));
}

/* Keys that sign as they should, but are too weak. */
FIXTURE(weak)
{
	struct ima_quote_tpm *tpm;
};

FIXTURE_VARIANT(weak)
{
	struct ima_quote_kind kind;
};

FIXTURE_VARIANT_ADD(weak, ecdsa_sha1)
{
	.kind = { IMA_QUOTE_ECDSA, 256, ALG_SHA1 },
};

FIXTURE_VARIANT_ADD(weak, rsassa_sha1)
{
	.kind = { IMA_QUOTE_RSASSA, 2048, ALG_SHA1 },
};

FIXTURE_VARIANT_ADD(weak, rsapss_1024_bits)
{
	.kind = { IMA_QUOTE_RSAPSS, 1024, ALG_SHA256 },
};

FIXTURE_SETUP(weak)
{
	int err;

	setenv("TSS2_LOG", "all+NONE", 0);
	err = ima_quote_open(&self->tpm, NULL);
	if (err == -ENODEV)
		SKIP(return, "no TPM 2.0: %s", ima_quote_error(self->tpm));
	ASSERT_EQ(0, err) TH_LOG("%s", ima_quote_error(self->tpm));
}

FIXTURE_TEARDOWN(weak)
{
	ima_quote_close(self->tpm);
}

TEST_F_TIMEOUT(weak, key_is_refused, IMA_TIMEOUT)
{
	struct ima_log_selection select;
	struct ima_quote_blob ak;
	struct ima_quote quote;

	ASSERT_EQ(0, ima_quote_create_ak(self->tpm, IMA_QUOTE_OWNER, &variant->kind,
					 NULL, &ak)) TH_LOG("%s", ima_quote_error(self->tpm));
	ASSERT_EQ(0, ima_quote_banks(self->tpm, 1 << 10, &select));
	ASSERT_EQ(0, ima_quote_take(self->tpm, &select, nonce, NONCE_LEN, &quote));
	EXPECT_EQ(-EOPNOTSUPP, verify(&quote, &ak));
}

TEST_HARNESS_MAIN
