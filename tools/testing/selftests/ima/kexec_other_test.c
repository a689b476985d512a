// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image with room for the log was loaded, but another one is executed: no
 * image to carry the log to. That one only resets the machine, so it is the
 * console that has to tell ("# console:" is looked for there when it is off).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <signal.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#define BZIMAGE		"/boot/bzImage"
#define CODE_AT		((void *)0x2000000)	/* in RAM, and no kernel's */

/* outb(0x06, 0xcf9), until that has reset the machine */
static const unsigned char reset_machine[] = {
	0xba, 0xf9, 0x0c, 0x00, 0x00,	/* mov $0xcf9, %edx */
	0xb0, 0x06,			/* mov $6, %al */
	0xee,				/* out %al, (%dx) */
	0xeb, 0xfd,			/* jmp to the out */
};

FIXTURE(other) {
};

FIXTURE_SETUP(other)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	if (!getenv("IMA_KEXEC_TEST"))
		SKIP(return, "it ends the machine: in the VM only (KEXEC=1)");
}

FIXTURE_TEARDOWN(other)
{
}

/* Its memory is free, and what is loaded next can have all of it. */
TEST_F(other, log_is_not_copied_to_an_image_that_was_unloaded)
{
	struct kexec_segment segment = {
		.buf = reset_machine, .bufsz = sizeof(reset_machine),
		.mem = CODE_AT, .memsz = sysconf(_SC_PAGESIZE),
	};
	int kernel = open(BZIMAGE, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, kernel);
	ASSERT_EQ(0, ima_measure_files(10));
	ASSERT_EQ(0, syscall(SYS_kexec_file_load, kernel, -1, sizeof(""), "",
			     (unsigned long)KEXEC_FILE_NO_INITRAMFS));
	close(kernel);
	ASSERT_EQ(0, syscall(SYS_kexec_file_load, -1, -1, 0, NULL,
			     (unsigned long)KEXEC_FILE_UNLOAD));
	ASSERT_EQ(0, syscall(SYS_kexec_load, CODE_AT, 1, &segment, KEXEC_ARCH_DEFAULT));

	/* When this program has ended */
	ASSERT_EQ(0, kill(1, SIGUSR2));
	printf("# console: ima: Kexec buffer not set.\n");
	fflush(stdout);
}

TEST_HARNESS_MAIN
