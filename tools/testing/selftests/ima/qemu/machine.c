// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine: QEMU, and swtpm as its TPM.
 *
 * All that goes between the processes is on inherited socket pairs: there is no
 * name that could clash, and nobody has to wait for anybody's socket to appear.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm.h"

static void socket_pair(int *ours, int *theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		err(VM_FAILED, "socketpair");
	*ours = fds[0];
	*theirs = fds[1];
}

/* Returns QEMU's end of the control channel. */
static int start_swtpm(void)
{
	struct vm_command swtpm = { .argc = 0 };
	int ours, theirs;

	socket_pair(&ours, &theirs);
	vm_command_add(&swtpm, "swtpm");
	vm_command_add(&swtpm, "socket");
	vm_command_add(&swtpm, "--tpm2");
	vm_command_add(&swtpm, "--terminate");
	vm_command_add(&swtpm, "--tpmstate");
	vm_command_add(&swtpm, "dir=%s", vm_tmp_path(""));
	vm_command_add(&swtpm, "--ctrl");
	vm_command_add(&swtpm, "type=unixio,clientfd=%d", vm_command_keep(&swtpm, ours));
	/*
	 * The guest's driver waits as long for it as for a chip (750 ms for an
	 * extend), in time that goes on while this one waits for a CPU.
	 */
	setpriority(PRIO_PROCESS, vm_spawn(&swtpm, -1), -15);
	return theirs;
}

static void add_tpm(struct vm_command *qemu)
{
	vm_command_add(qemu, "-chardev");
	vm_command_add(qemu, "socket,id=tpm,fd=%d", vm_command_keep(qemu, start_swtpm()));
	vm_command_add(qemu, "-tpmdev");
	vm_command_add(qemu, "emulator,id=tpm0,chardev=tpm");
	vm_command_add(qemu, "-device");
	vm_command_add(qemu, "tpm-crb,tpmdev=tpm0");
}

static void add_ports(struct vm_command *qemu, int ports[VM_PORTS])
{
	/* Without ioeventfd, what the guest has written has reached our socket. */
	vm_command_add(qemu, "-device");
	vm_command_add(qemu, "virtio-serial-pci,ioeventfd=off");
	for (int i = 0; i < VM_PORTS; i++) {
		int theirs;

		socket_pair(&ports[i], &theirs);
		vm_command_add(qemu, "-chardev");
		vm_command_add(qemu, "socket,id=port%d,fd=%d", i + 1,
			       vm_command_keep(qemu, theirs));
		vm_command_add(qemu, "-device");
		vm_command_add(qemu, "virtserialport,nr=%d,chardev=port%d", i + 1, i + 1);
	}
}

static void add_console(struct vm_command *qemu, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		err(VM_FAILED, "%s", path);
	/* By descriptor: a comma in the name would mean something to QEMU. */
	vm_command_add(qemu, "-add-fd");
	vm_command_add(qemu, "fd=%d,set=1", vm_command_keep(qemu, fd));
	vm_command_add(qemu, "-chardev");
	vm_command_add(qemu, "file,id=console,path=/dev/fdset/1");
	vm_command_add(qemu, "-serial");
	vm_command_add(qemu, "chardev:console");
}

static void add_kernel(struct vm_command *qemu, const struct vm_config *config,
		       const char *initramfs)
{
	vm_command_add(qemu, "-kernel");
	vm_command_add(qemu, "%s", config->kernel);
	vm_command_add(qemu, "-initrd");
	vm_command_add(qemu, "%s", initramfs);
	vm_command_add(qemu, "-append");
	/*
	 * The root is ramfs, so that a policy for tmpfs measures the test's files
	 * and no library. A word that the kernel does not know goes to init. A
	 * busy host lets the check of the timer fail, which is a panic, and makes
	 * kexec hash an image for so long that RCU calls it a stall after 21 s.
	 */
	vm_command_add(qemu,
		       "console=ttyS0 rootfstype=ramfs no_timer_check panic=-1 oops=panic rcupdate.rcu_cpu_stall_timeout=300%s%s%s%s",
		       config->tpm ? " vm_tpm=1" : "",
		       config->kexec ? " retain_initrd" : "",
		       config->append ? " " : "", config->append ?: "");
}

/* Time, and what the guest takes for random, are the same in each run. */
static void add_icount(struct vm_command *qemu)
{
	vm_command_add(qemu, "-icount");
	/* An idle guest does not wait for our clock: its own goes on at once. */
	vm_command_add(qemu, "shift=0,sleep=off");
	vm_command_add(qemu, "-seed");
	vm_command_add(qemu, "1");
	vm_command_add(qemu, "-rtc");
	vm_command_add(qemu, "base=2000-01-01,clock=vm");
}

/**
 * vm_machine_start() - start QEMU and, if wanted, swtpm
 * @config:	what to run
 * @initramfs:	the guest's files
 * @ports:	filled with our ends of the virtio-serial ports
 */
void vm_machine_start(const struct vm_config *config, const char *initramfs,
		      int ports[VM_PORTS])
{
	static const char * const fixed[] = {
		"qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
		"-display", "none", "-machine", "q35",
	};
	struct vm_command qemu = { .argc = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		vm_command_add(&qemu, "%s", fixed[i]);
	vm_command_add(&qemu, "-accel");
	vm_command_add(&qemu, "%s", config->accel);
	vm_command_add(&qemu, "-cpu");
	vm_command_add(&qemu, "%s", strcmp(config->accel, "kvm") ? "max" : "host");
	vm_command_add(&qemu, "-smp");
	vm_command_add(&qemu, "%s", config->cpus);
	vm_command_add(&qemu, "-m");
	vm_command_add(&qemu, "%s", config->mem);
	add_kernel(&qemu, config, initramfs);
	add_console(&qemu, config->console);
	add_ports(&qemu, ports);
	if (config->icount)
		add_icount(&qemu);
	if (config->tpm)
		add_tpm(&qemu);
	vm_spawn(&qemu, -1);
}
