/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load the kernel that runs once more, with some files of its root.
 */
#ifndef KEXEC_AGAIN_H
#define KEXEC_AGAIN_H

int kexec_load_again(const char *names, int boots);
int kexec_ask(void);
int kexec_await(void);

#endif /* KEXEC_AGAIN_H */
