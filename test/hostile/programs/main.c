/* One static program with all attacks, so that a container needs nothing else. */

#define _GNU_SOURCE
#include "attack.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"reader", reader},   {"flip", flip},       {"hang", hang},     {"serve-root", serve_root},
    {"mounts", many_mounts}, {"threads", threads}, {"pieces", pieces}, {"cover", cover},
};

void fail(const char *what) {
  fprintf(stderr, "attack: Cannot %s: %s\n", what, strerror(errno));
  exit(1);
}

void check(int result, const char *what) {
  if (result < 0) fail(what);
}

void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  check(fd, path);
  check(write(fd, text, strlen(text)), path);
  close(fd);
}

void make_directory(const char *path) {
  if (mkdir(path, 0755) < 0 && errno != EEXIST) fail(path);
}

void become_root(void) {
  char map[64];
  int uid = geteuid(), gid = getegid();
  /* A process that has changed its user owns nothing in /proc before it is dumpable again. */
  prctl(PR_SET_DUMPABLE, 1);
  check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "have namespaces of its own");
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %d 1", uid);
  write_file("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "0 %d 1", gid);
  write_file("/proc/self/gid_map", map);
}

void be_ready(const char *directory) {
  char path[4096];
  snprintf(path, sizeof path, "%s/ready", directory);
  write_file(path, "");
}

void read_meanwhile(char *const files[]) {
  if (files[0] == NULL || fork() != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  static char buffer[65536];
  for (;;) {
    for (int i = 0; files[i] != NULL; i++) {
      int fd = open(files[i], O_RDONLY);
      if (fd < 0) continue;
      while (read(fd, buffer, sizeof buffer) > 0) {}
      close(fd);
    }
    usleep(10000);
  }
}

/* However the test ends, nothing of an attack lasts longer. */
static const unsigned LONGEST_SECONDS = 150;

static void end(int signal) {
  (void)signal;
  _exit(1);
}

int main(int argc, char **argv) {
  /* The first process of a pid namespace gets no signal that it has no handler for: pid_namespaces(7). */
  signal(SIGALRM, end);
  alarm(LONGEST_SECONDS);
  for (size_t i = 0; argc > 1 && i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
    if (strcmp(argv[1], COMMANDS[i].name) == 0) return COMMANDS[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "attack: Cannot run %s: no such attack\n", argc > 1 ? argv[1] : "nothing");
  return 2;
}
