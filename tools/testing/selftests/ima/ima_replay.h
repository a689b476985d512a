/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two states of the measurement list with records that came in between: do these
 * lead from the PCR values of the one to those of the other?
 */
#ifndef IMA_REPLAY_H
#define IMA_REPLAY_H

#include "ima_state.h"

/**
 * struct ima_change - what happened between two states
 * @gone: records from the beginning of the list
 * @added: records at its end: at most, then how many there were
 * @extend_fails: the TPM may have missed them all ...
 * @not_extended: ... and has
 */
struct ima_change {
	long gone;
	long added;
	bool extend_fails;
	bool not_extended;
};

bool ima_replay_leads(const char *before, const char *after,
		      const struct ima_file *list, unsigned long from);
const char *ima_state_change_differs(const struct ima_state *before,
				     struct ima_change *change);

/* For a test: nothing but this has happened since. */
#define EXPECT_CHANGE(_before, _change) \
	EXPECT_STREQ("", ima_state_change_differs(_before, _change) ?: "")

#endif /* IMA_REPLAY_H */
