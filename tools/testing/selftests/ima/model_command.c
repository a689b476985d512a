// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which command the model test writes next, right or wrong.
 */
#include <stdio.h>
#include <string.h>

#include "../kselftest.h"
#include "model_step.h"

struct wrong {
	const char *text;
	size_t len;
};

#define WRONG(_text) { .text = _text, .len = sizeof(_text) - 1 }

static void random_wrong(struct run *run, struct step *step)
{
	static const struct wrong list[] = {
		WRONG("0\n"), WRONG("A\n"), WRONG("D\n"), WRONG("1"), WRONG("\n"), WRONG("-1\n"),
		WRONG("\t1\n"), WRONG("1\t\n"), WRONG("0x1\n"), WRONG("1\n1\n"), WRONG("1:\n"),
		WRONG(":1\n"), WRONG("1:1:1\n"), WRONG("1\0\n"), WRONG("1\n\n"),
		WRONG("0000000000000000000000000000000000000000001\n"),
	};
	static const struct wrong staged[] = {
		WRONG("1\n"), WRONG("0:1\n"), WRONG("a\n"), WRONG("A"), WRONG("\n"), WRONG("AD\n"),
		WRONG("A\t\n"), WRONG("A\0\n"), WRONG("D\nD\n"), WRONG("A\nD\n"),
	};
	const struct wrong *wrong = &staged[random_below(run, ARRAY_SIZE(staged))];

	if (step->which == MODEL_LIST)
		wrong = &list[random_below(run, ARRAY_SIZE(list))];
	memcpy(step->text, wrong->text, wrong->len);
	step->text_len = wrong->len;
	step->command.verb = MODEL_WRONG;
}

static void random_delete(struct run *run, struct step *step)
{
	struct model_command *command = &step->command;
	unsigned long count = model_count(&run->model, MODEL_LIST);

	command->verb = one_in(run, 2) ? MODEL_N : MODEL_TN;
	command->n = 1 + random_below(run, one_in(run, step_growing(run) ? 12 : 3) ? count + 2 : 3);
	command->t = model_removed(&run->model);
	if (one_in(run, 4))
		command->t += random_below(run, 5) - 2;
	if (one_in(run, 60)) {
		command->verb = MODEL_TOO_BIG;
		step->text_len = sprintf(step->text, "18446744073709551616\n");
	} else if (command->verb == MODEL_N) {
		step->text_len = sprintf(step->text, "%lu\n", command->n);
	} else {
		step->text_len = sprintf(step->text, "%lu:%lu\n", command->t, command->n);
	}
}

static void random_stage(struct run *run, struct step *step)
{
	/* With something staged, only D leads on. */
	bool stage = one_in(run, model_count(&run->model, MODEL_STAGED) ? 8 :
				 step_growing(run) ? 16 : 2);

	step->command.verb = stage ? MODEL_A : MODEL_D;
	step->text_len = sprintf(step->text, stage ? "A\n" : "D\n");
}

/**
 * step_choose_command() - choose what to write
 * @run: the test
 * @step: with ->which of the file; the command and its text are put here
 */
void step_choose_command(struct run *run, struct step *step)
{
	if (one_in(run, 16))
		random_wrong(run, step);
	else if (step->which == MODEL_LIST)
		random_delete(run, step);
	else
		random_stage(run, step);
}
