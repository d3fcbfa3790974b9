/*
 * The client of the benchmark: reads a file to its end again and again, and tells how long each time took.
 * A line "open|keep READERS MILLISECONDS COUNT PATH" on stdin is one run. With "open" a % in PATH stands for the
 * numbers below COUNT, in turn. The answer is two lines: nanoseconds that the run
 * took and the CPU time that this process used in it; then the latencies, in nanoseconds.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_READERS 64
#define MOST_SAMPLES 400000

struct reader {
	pthread_t thread;
	uint32_t *samples;
	int count;
};

static char path[4096];
static int keeps;
static int files;
static uint64_t end;
static pthread_barrier_t start;
static struct reader readers[MOST_READERS];

static uint64_t now(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void fail(const char *action)
{
	perror(action);
	exit(1);
}

static int open_file(int turn)
{
	char numbered[4200];
	const char *mark = strchr(path, '%');
	if (mark)
		snprintf(numbered, sizeof numbered, "%.*s%d%s", (int)(mark - path), path, turn % files, mark + 1);
	int fd = open(mark ? numbered : path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	return fd;
}

/* What cat, free and top do: until read(2) returns 0. */
static void read_all(int fd)
{
	static __thread char buffer[65536];
	for (;;) {
		ssize_t size = read(fd, buffer, sizeof buffer);
		if (size < 0)
			fail("read");
		if (size == 0)
			return;
	}
}

/* What top does with a descriptor that it keeps: one read(2) from the beginning. */
static void read_again(int fd)
{
	static __thread char buffer[65536];
	if (lseek(fd, 0, SEEK_SET) != 0 || read(fd, buffer, sizeof buffer) < 0)
		fail("read again");
}

static void *run(void *argument)
{
	struct reader *reader = argument;
	int fd = keeps ? open_file(0) : -1;
	reader->count = 0;
	pthread_barrier_wait(&start);
	for (;;) {
		uint64_t before = now(CLOCK_MONOTONIC);
		if (before >= end || reader->count == MOST_SAMPLES)
			break;
		if (keeps) {
			read_again(fd);
		} else {
			fd = open_file(reader->count);
			read_all(fd);
			close(fd);
		}
		reader->samples[reader->count++] = now(CLOCK_MONOTONIC) - before;
	}
	if (keeps)
		close(fd);
	return NULL;
}

int main(void)
{
	char mode[8];
	int count, milliseconds;
	while (scanf("%7s %d %d %d %4095s", mode, &count, &milliseconds, &files, path) == 5) {
		if (count < 1 || count > MOST_READERS || files < 1)
			return 2;
		keeps = strcmp(mode, "keep") == 0;
		pthread_barrier_init(&start, NULL, count + 1);
		end = UINT64_MAX;
		for (int i = 0; i < count; i++) {
			if (readers[i].samples == NULL)
				readers[i].samples = malloc(MOST_SAMPLES * sizeof(uint32_t));
			pthread_create(&readers[i].thread, NULL, run, &readers[i]);
		}
		uint64_t begin = now(CLOCK_MONOTONIC);
		uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		end = begin + milliseconds * 1000000ull;
		pthread_barrier_wait(&start);
		for (int i = 0; i < count; i++)
			pthread_join(readers[i].thread, NULL);
		pthread_barrier_destroy(&start);
		printf("%llu %llu\n", (unsigned long long)(now(CLOCK_MONOTONIC) - begin),
		       (unsigned long long)(now(CLOCK_PROCESS_CPUTIME_ID) - cpu));
		for (int i = 0; i < count; i++)
			for (int j = 0; j < readers[i].count; j++)
				printf("%u ", readers[i].samples[j]);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
