/*
 * The victim: reads its files without pause until there is the file STOP, and prints as JSON how long the reads took.
 * One read is open, read to the end, close.
 */

#define _GNU_SOURCE
#include "attack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint32_t *times_us;
static size_t reads, room;
static long failures, strange;
static uint64_t failing_us;
static char first_failure[256];

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void note(uint64_t took_us) {
  if (reads == room) {
    room = room ? 2 * room : 1 << 16;
    times_us = realloc(times_us, room * sizeof *times_us);
    if (times_us == NULL) fail("remember a read");
  }
  times_us[reads++] = took_us > UINT32_MAX ? UINT32_MAX : took_us;
}

static char buffer[1 << 16];

/* Leaves the beginning of the text in the buffer. */
static int read_whole(const char *file) {
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t size = read(fd, buffer, sizeof buffer - 1);
  if (size >= 0) {
    buffer[size] = 0;
    static char rest[4096];
    ssize_t more = size;
    while (more > 0) more = read(fd, rest, sizeof rest);
    if (more < 0) size = -1;
  }
  int reason = errno;
  close(fd);
  errno = reason;
  return size < 0 ? -1 : 0;
}

static int compare(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

static double at(double share) {
  return reads == 0 ? 0 : times_us[(size_t)((reads - 1) * share)] / 1000.0;
}

/* reader STOP MEM_TOTAL_KIB FILE... */
int reader(int argc, char **argv) {
  if (argc < 4) return 2;
  long expected = atol(argv[2]);
  int has_failed = 0;
  uint64_t first = now_us(), before = first;
  while (access(argv[1], F_OK) < 0) {
    for (int i = 3; i < argc; i++) {
      uint64_t start = now_us();
      int result = read_whole(argv[i]);
      uint64_t end = now_us();
      note(end - start);
      if (has_failed || result < 0) failing_us += end - before;
      has_failed = result < 0;
      before = end;
      long total;
      if (result < 0) {
        if (failures++ == 0) snprintf(first_failure, sizeof first_failure, "%s: %s", argv[i], strerror(errno));
      } else if (sscanf(buffer, "MemTotal: %ld", &total) == 1 && total != expected) {
        strange++;
      }
    }
  }
  qsort(times_us, reads, sizeof *times_us, compare);
  printf("{\"reads\":%zu,\"failures\":%ld,\"firstFailure\":\"%s\",\"strange\":%ld,", reads, failures, first_failure, strange);
  printf("\"failingMs\":%.3f,\"tookMs\":%.3f,", failing_us / 1000.0, (now_us() - first) / 1000.0);
  printf("\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"longestMs\":%.3f}\n", at(0.5), at(0.99), at(1));
  return 0;
}
