// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the TPM's counters say of one quote and a later one: TPM 2.0 Part 1, "Clock" and
 * "Startup". The numbers of resets and restarts may have something added to them, so
 * they can wrap around.
 */
#include "counters.h"

/* The clock is saved this often at least, in milliseconds. */
#define CLOCK_SAVED	4194304

static int compare(__u32 before, __u32 now)
{
	__s32 more = now - before;

	return (more > 0) - (more < 0);
}

/**
 * counters_reset() - was the TPM reset between the two?
 * @before: of a quote
 * @now: of a later one
 *
 * Return: whether it was, and the PCRs began anew.
 */
bool counters_reset(const struct ima_quote_info *before, const struct ima_quote_info *now)
{
	return compare(before->resets, now->resets) > 0;
}

/**
 * counters_restarted() - was the TPM restarted or resumed, but not reset?
 * @before: of a quote
 * @now: of a later one
 *
 * Return: whether it was. A resumed TPM (suspend to RAM) has kept its PCRs; those of one
 * that was restarted (hibernation, a boot after power was lost in suspend) began anew.
 */
bool counters_restarted(const struct ima_quote_info *before, const struct ima_quote_info *now)
{
	return before->resets == now->resets && compare(before->restarts, now->restarts) > 0;
}

/* What was not saved is lost with power; then the clock is not safe until it is saved. */
static bool clock_goes_back(const struct ima_quote_info *before,
			    const struct ima_quote_info *now)
{
	return now->clock < before->clock &&
	       (now->safe || !counters_reset(before, now) ||
		before->clock - now->clock > CLOCK_SAVED);
}

/**
 * counters_go_back() - can the second not be of the same TPM, and later?
 * @before: of a quote
 * @now: of one that is to be later
 *
 * Return: whether a counter goes back that does not do so in a TPM, unless it is cleared.
 */
bool counters_go_back(const struct ima_quote_info *before, const struct ima_quote_info *now)
{
	int resets = compare(before->resets, now->resets);

	return resets < 0 || (!resets && compare(before->restarts, now->restarts) < 0) ||
	       clock_goes_back(before, now);
}
