/*
 * A FUSE that stops answering. Requests that it has taken cannot be interrupted: who waits for their answers is in
 * uninterruptible sleep, and SIGKILL does nothing before this process has ended.
 */

#define _GNU_SOURCE
#include "attack.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile sig_atomic_t is_mute;

static void go_mute(int signal) {
  (void)signal;
  is_mute = 1;
}

static void reply(int fd, uint64_t unique, int error, const void *body, size_t size) {
  struct fuse_out_header out = {.len = sizeof out + size, .error = -error, .unique = unique};
  struct iovec parts[] = {{&out, sizeof out}, {(void *)body, size}};
  if (writev(fd, parts, 2) < 0 && errno == ENODEV) _exit(0);
}

/* Nothing is valid for any time: the kernel asks again for each use. */
static struct fuse_attr attributes(uint64_t node) {
  return (struct fuse_attr){.ino = node, .mode = S_IFDIR | 0755, .nlink = 2, .blksize = 4096};
}

/* Some directories of a root, so that what is mounted on them can be reached through an overlay of this one. */
static uint64_t find(const char *name) {
  static const char *const NAMES[] = {"proc", "sys", "dev"};
  for (uint64_t i = 0; i < 3; i++) {
    if (strcmp(name, NAMES[i]) == 0) return i + 2;
  }
  return 0;
}

static void answer(int fd, const struct fuse_in_header *in) {
  const void *body = in + 1;
  switch (in->opcode) {
  case FUSE_INIT: {
    const struct fuse_init_in *init = body;
    struct fuse_init_out out = {
        .major = 7, .minor = init->minor < 31 ? init->minor : 31, .max_write = 4096};
    return reply(fd, in->unique, 0, &out, sizeof out);
  }
  case FUSE_GETATTR: {
    struct fuse_attr_out out = {.attr = attributes(in->nodeid)};
    return reply(fd, in->unique, 0, &out, sizeof out);
  }
  case FUSE_LOOKUP: {
    struct fuse_entry_out out = {.nodeid = in->nodeid == FUSE_ROOT_ID ? find(body) : 0};
    if (out.nodeid == 0) return reply(fd, in->unique, ENOENT, NULL, 0);
    out.attr = attributes(out.nodeid);
    return reply(fd, in->unique, 0, &out, sizeof out);
  }
  case FUSE_STATFS: {
    struct fuse_statfs_out out = {.st = {.bsize = 4096, .namelen = 255}};
    return reply(fd, in->unique, 0, &out, sizeof out);
  }
  case FUSE_OPENDIR: {
    struct fuse_open_out out = {0};
    return reply(fd, in->unique, 0, &out, sizeof out);
  }
  case FUSE_READDIR:
  case FUSE_RELEASEDIR:
    return reply(fd, in->unique, 0, NULL, 0);
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
  case FUSE_INTERRUPT:
    return;
  default:
    return reply(fd, in->unique, ENOSYS, NULL, 0);
  }
}

static void serve(int fd) {
  static _Alignas(8) char buffer[256 * 1024];
  for (;;) {
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == ENODEV) _exit(0);
    if (size > 0 && !is_mute) answer(fd, (const struct fuse_in_header *)buffer);
  }
}

int mount_fuse(const char *device, const char *where) {
  char options[128];
  int fd = open(device, O_RDWR | O_CLOEXEC);
  check(fd, device);
  make_directory(where);
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
  check(mount("hostile", where, "fuse", 0, options), "mount a FUSE");
  signal(SIGUSR1, go_mute);
  int daemon = fork();
  check(daemon, "fork");
  if (daemon == 0) {
    /* The connection ends with this process alone: nobody else has the descriptor. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(150);
    serve(fd);
  }
  close(fd);
  return daemon;
}

void mute(int daemon) {
  check(kill(daemon, SIGUSR1), "tell the FUSE");
  usleep(100000);
}
