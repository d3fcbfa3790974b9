/* More of something than anybody should look at: mounts, threads, texts that are begun. */

#define _GNU_SOURCE
#include "attack.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * mounts [--unshare] DIRECTORY COUNT SIZE FILE...: each mount's source has so many blanks, of which mountinfo makes four
 * characters each.
 */
int many_mounts(int argc, char **argv) {
  (void)argc;
  argv++;
  if (*argv != NULL && strcmp(*argv, "--unshare") == 0) {
    become_root();
    argv++;
  }
  int count = atoi(argv[1]), size = atoi(argv[2]);
  char *blanks = calloc(1, size + 1);
  memset(blanks, ' ', size);
  char where[PATH_MAX];
  strcpy(stpcpy(where, argv[0]), "/many");
  make_directory(where);
  be_ready(argv[0]);
  for (int i = 0; i < count; i++) {
    check(mount(blanks, where, "tmpfs", 0, "size=4k"), "mount one more");
  }
  read_meanwhile(argv + 3);
  for (;;) pause();
}

static void *rest(void *unused) {
  for (;;) pause();
  return unused;
}

/* threads DIRECTORY COUNT FILE... */
int threads(int argc, char **argv) {
  if (argc < 3) return 2;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
  read_meanwhile(argv + 3);
  for (int left = atoi(argv[2]); left > 0; left--) {
    pthread_t thread;
    errno = pthread_create(&thread, &small, rest, NULL);
    if (errno != 0) fail("start one more thread");
  }
  be_ready(argv[1]);
  for (;;) pause();
}

/* pieces DIRECTORY COUNT FILE...: reads one byte of a file and keeps it open, in processes of 1000 files. */
int pieces(int argc, char **argv) {
  if (argc < 4) return 2;
  struct rlimit files = {1024, 1024};
  setrlimit(RLIMIT_NOFILE, &files);
  char byte;
  for (int left = atoi(argv[2]); left > 0; left -= 1000) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 1000; i++) {
      int fd = open(argv[3 + i % (argc - 3)], O_RDONLY);
      if (fd < 0 || read(fd, &byte, 1) != 1) break;
    }
    for (;;) pause();
  }
  be_ready(argv[1]);
  for (;;) pause();
}
