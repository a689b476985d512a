/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What taking and verifying a quote share of the TPM's own types.
 */
#ifndef _IMA_QUOTE_TSS_H
#define _IMA_QUOTE_TSS_H

#include <linux/types.h>
#include <tss2/tss2_tpm2_types.h>

/* The PCRs of one bank: a bit for each. */
static inline __u32 select_get(const TPMS_PCR_SELECTION *sel)
{
	__u32 pcrs = 0;
	unsigned int i;

	for (i = 0; i < sel->sizeofSelect && i < sizeof(sel->pcrSelect); i++)
		pcrs |= (__u32)sel->pcrSelect[i] << 8 * i;
	return pcrs;
}

#endif /* _IMA_QUOTE_TSS_H */
