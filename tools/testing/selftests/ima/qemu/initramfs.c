// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's initramfs: init, the program, busybox, tpm2-tools, libraries.
 *
 * The kernel's own gen_init_cpio makes the archive from a list of lines; it
 * needs no root and copies nothing.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

#define TPM2	"/usr/bin/tpm2"
#define BIN	"/usr/local/bin"

static FILE *list;

/* Guest paths that are in the list. A few hundred: a linear search will do. */
static char **names;
static size_t nr_names;

static bool seen(const char *path)
{
	for (size_t i = 0; i < nr_names; i++)
		if (!strcmp(names[i], path))
			return true;
	names = reallocarray(names, nr_names + 1, sizeof(*names));
	if (!names)
		err(VM_FAILED, "initramfs");
	names[nr_names] = strdup(path);
	if (!names[nr_names++])
		err(VM_FAILED, "initramfs");
	return false;
}

/* gen_init_cpio's list has blanks between its words. */
static bool has_blank(const char *path)
{
	return strpbrk(path, " \t\n");
}

static void check_name(const char *path)
{
	if (has_blank(path))
		errx(VM_FAILED, "%s: cannot copy a name with a blank in it", path);
}

static void check_visible(const char *path)
{
	static const char * const mounts[] = { "/dev", "/proc", "/sys", "/tmp", "/run" };

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		size_t len = strlen(mounts[i]);

		if (!strncmp(path, mounts[i], len) && path[len] == '/')
			errx(VM_FAILED, "%s: the guest mounts something on %s, choose another path",
			     path, mounts[i]);
	}
}

static void put_dir(const char *path)
{
	char *parent;

	if (!strcmp(path, "/") || !strcmp(path, ".") || seen(path))
		return;
	check_name(path);
	parent = strdup(path);
	put_dir(dirname(parent));
	free(parent);
	fprintf(list, "dir %s 0755 0 0\n", path);
}

/* The folder that a new name goes into. Returns false if the name is there. */
static bool put_parent(const char *path)
{
	char *copy;

	if (seen(path))
		return false;
	check_name(path);
	check_visible(path);
	copy = strdup(path);
	put_dir(dirname(copy));
	free(copy);
	return true;
}

static void put_link(const char *path, const char *target)
{
	if (put_parent(path))
		fprintf(list, "slink %s %s 0777 0 0\n", path, target);
}

static bool is_elf(const char *path)
{
	char magic[4] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, magic, sizeof(magic));

	if (fd < 0 || n < 0)
		err(VM_FAILED, "%s", path);
	close(fd);
	return n == sizeof(magic) && !memcmp(magic, "\177ELF", 4);
}

/* Returns false if the name is there already. */
static bool put_plain(const char *path, const char *from)
{
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(from, real) || stat(real, &st))
		err(VM_FAILED, "%s", from);
	if (!put_parent(path))
		return false;
	check_name(real);
	fprintf(list, "file %s %s %04o 0 0\n", path, real,
		st.st_mode & 0111 ? 0755 : 0644);
	return true;
}

/* Libraries keep their paths. ldd's lines: "[name =>] path (address)". */
static void put_libraries(const char *program)
{
	char *cmd, *line = NULL;
	size_t size = 0;
	FILE *ldd;

	if (strchr(program, '\''))
		errx(VM_FAILED, "%s: cannot copy a name with a quote in it", program);
	if (asprintf(&cmd, "ldd '%s' 2>/dev/null", program) < 0)
		err(VM_FAILED, "ldd");
	ldd = popen(cmd, "re");
	if (!ldd)
		err(VM_FAILED, "ldd");
	while (getline(&line, &size, ldd) > 0) {
		char *path = strchr(line, '/');

		if (strstr(line, "not found"))
			errx(VM_FAILED, "%s needs a library:%.*s", program,
			     (int)strcspn(line, "\n"), line);
		if (!path)
			continue;
		path[strcspn(path, "\n ")] = '\0';
		put_plain(path, path);
	}
	pclose(ldd);	/* fails for a static program */
	free(line);
	free(cmd);
}

static void put_file(const char *path, const char *from)
{
	if (put_plain(path, from) && is_elf(from))
		put_libraries(from);
}

static const char *tree_from, *tree_to;

static int put_tree_entry(const char *from, const struct stat *st, int type,
			  struct FTW *ftw)
{
	char *path;

	(void)st;
	(void)ftw;
	if (has_blank(from + strlen(tree_from)) || type == FTW_SLN) {
		warnx("%s: left out: %s", from, type == FTW_SLN ? "a link to nothing" :
		      "a name with a blank in it");
		return 0;
	}
	if (asprintf(&path, "%s%s", tree_to, from + strlen(tree_from)) < 0)
		err(VM_FAILED, "%s", from);
	if (type == FTW_D)
		put_dir(path);
	else if (type == FTW_F)
		put_file(path, from);
	else
		errx(VM_FAILED, "%s: cannot copy it", from);
	free(path);
	return 0;
}

/* SRC[:DST]; without DST, the same absolute path. Folders are copied whole. */
static void put_extra(const char *spec)
{
	char *from = strdup(spec), *to = strchr(from, ':');
	char real[PATH_MAX];

	if (to)
		*to++ = '\0';
	if (!realpath(from, real))
		err(VM_FAILED, "%s", from);
	if (to && *to != '/')
		errx(VM_FAILED, "%s: the guest's path must begin with /", to);
	tree_from = real;
	tree_to = to ? to : real;
	if (nftw(real, put_tree_entry, 16, 0))
		err(VM_FAILED, "%s", real);
	free(from);
}

static char *find_in_path(const char *name)
{
	char *path = strdup(getenv("PATH") ?: "/usr/bin:/bin");
	char *found = NULL, *save = NULL;

	for (char *dir = strtok_r(path, ":", &save); dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		if (asprintf(&found, "%s/%s", dir, name) < 0)
			err(VM_FAILED, "%s", name);
		if (access(found, X_OK)) {
			free(found);
			found = NULL;
		}
	}
	free(path);
	return found;
}

static char *need_in_path(const char *name, const char *package)
{
	char *path = find_in_path(name);

	if (!path)
		errx(VM_FAILED, "%s not found: apt-get install %s", name, package);
	return path;
}

static void put_busybox(void)
{
	char *busybox = need_in_path("busybox", "busybox-static");
	char *line = NULL, *cmd, *link;
	size_t size = 0;
	FILE *names;

	put_file("/bin/busybox", busybox);
	if (asprintf(&cmd, "%s --list-full", busybox) < 0)
		err(VM_FAILED, "busybox");
	names = popen(cmd, "re");
	if (!names)
		err(VM_FAILED, "busybox");
	while (getline(&line, &size, names) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (asprintf(&link, "/%s", line) < 0)
			err(VM_FAILED, "busybox");
		put_link(link, "/bin/busybox");
		free(link);
	}
	if (pclose(names))
		errx(VM_FAILED, "%s does not run", cmd);
	free(line);
	free(cmd);
	free(busybox);
}

static void put_glob(const char *pattern, bool links)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		errx(VM_FAILED, "%s not found: apt-get install tpm2-tools", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (links)
			put_link(found.gl_pathv[i], TPM2);
		else
			put_file(found.gl_pathv[i], found.gl_pathv[i]);
	}
	globfree(&found);
}

static void put_tpm2_tools(void)
{
	put_file(TPM2, TPM2);
	put_glob(TPM2 "_*", true);
	/* Opened by name when they are wanted, so ldd does not know them. */
	put_glob("/usr/lib/x86_64-linux-gnu/libtss2-tcti-*.so.0", false);
}

/*
 * A program with a slash in its name is copied to /usr/local/bin. A plain name
 * is the guest's own command, or else one of the host's, found in its PATH.
 * Returns what the guest is to run.
 */
static char *put_program(const char *name)
{
	static const char * const dirs[] = {
		BIN, "/bin", "/sbin", "/usr/bin", "/usr/sbin",
	};
	char *from, *to, *copy;

	if (strchr(name, '/')) {
		from = strdup(name);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
			if (asprintf(&to, "%s/%s", dirs[i], name) < 0)
				err(VM_FAILED, "%s", name);
			for (size_t n = 0; n < nr_names; n++)
				if (!strcmp(names[n], to))
					return to;
			free(to);
		}
		from = find_in_path(name);
		if (!from)
			errx(127, "%s: not found, neither in the guest nor on the host", name);
	}
	copy = strdup(from);
	if (asprintf(&to, BIN "/%s", basename(copy)) < 0)
		err(VM_FAILED, "%s", name);
	if (access(from, X_OK))
		err(VM_FAILED, "%s", from);
	put_file(to, from);
	free(copy);
	free(from);
	return to;
}

/* kselftest's runner gives timeout an option that busybox does not know. */
static void put_timeout(void)
{
	char *timeout = need_in_path("timeout", "coreutils");

	put_file("/usr/bin/timeout", timeout);
	free(timeout);
}

static void put_text(const char *path, const char *text, size_t len)
{
	char *copy = strdup(path), *from = vm_tmp_path(basename(copy));
	FILE *f;

	f = fopen(from, "we");
	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		err(VM_FAILED, "%s", from);
	put_file(path, from);
	free(copy);
}

static void put_command(const struct vm_config *config)
{
	size_t len = 0;
	char *words;
	FILE *f = open_memstream(&words, &len);
	char *program = put_program(config->argv[0]);

	fputs(program, f);
	fputc('\0', f);
	for (char **word = config->argv + 1; *word; word++) {
		fputs(*word, f);
		fputc('\0', f);
	}
	if (fclose(f))
		err(VM_FAILED, "command");
	put_text("/etc/vm/argv", words, len);
	free(words);
	free(program);
}

static void put_init(const struct vm_config *config)
{
	static const char * const dirs[] = {
		"/dev", "/proc", "/sys", "/tmp", "/run", "/root", "/etc/vm",
		"/boot", "/var", BIN,
	};
	char *init;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		put_dir(dirs[i]);
	fprintf(list, "nod /dev/console 0600 0 0 c 5 1\n");
	put_link("/var/tmp", "/tmp");
	put_link("/var/run", "/run");
	if (asprintf(&init, "%s/init", config->tools) < 0)
		err(VM_FAILED, "init");
	put_file("/init", init);
	free(init);
}

static void put_users(void)
{
	static const char passwd[] =
		"root:x:0:0:root:/root:/bin/sh\n"
		"nobody:x:65534:65534:nobody:/:/bin/false\n";
	static const char group[] = "root:x:0:\nnogroup:x:65534:\n";

	put_text("/etc/passwd", passwd, strlen(passwd));
	put_text("/etc/group", group, strlen(group));
}

static void run_gen_init_cpio(const struct vm_config *config, const char *spec,
			      const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct vm_command gen = { .argc = 0 };

	if (fd < 0)
		err(VM_FAILED, "%s", path);
	vm_command_add(&gen, "%s/gen_init_cpio", config->tools);
	vm_command_add(&gen, "%s", spec);
	vm_wait(vm_spawn(&gen, fd), "gen_init_cpio");
	close(fd);
}

/**
 * vm_initramfs_make() - write the guest's initramfs
 * @config:	what goes in
 * @path:	the archive
 *
 * Does not return on error.
 */
void vm_initramfs_make(const struct vm_config *config, const char *path)
{
	char *spec = vm_tmp_path("initramfs.list");

	list = fopen(spec, "we");
	if (!list)
		err(VM_FAILED, "%s", spec);
	/* A name is what was put there first: FILES can replace all but init. */
	put_init(config);
	for (size_t i = 0; i < config->nr_files; i++)
		put_extra(config->files[i]);
	put_users();
	put_timeout();
	put_busybox();
	put_tpm2_tools();
	if (config->kexec) {
		put_file("/boot/bzImage", config->kernel);
		/* The kernel keeps it there, with retain_initrd. */
		put_link("/boot/initrd", "/sys/firmware/initrd");
	}
	put_command(config);
	if (fclose(list))
		err(VM_FAILED, "%s", spec);
	run_gen_init_cpio(config, spec, path);
}
