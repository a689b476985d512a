/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent for remote attestation, and its verifier, as Keylime's agent in Rust reads:
 * it opens the list once, quotes, seeks to one of the ends that it remembers, reads.
 */
#ifndef IMALOG_AGENT_H
#define IMALOG_AGENT_H

int agent_beside_trims(const char *state, int requests, int *trims);

#endif /* IMALOG_AGENT_H */
