/*
 * Containers without a runtime: "fleet FIRST_KIB STEP_KIB" makes processes, each in a mount namespace of its own, and
 * has them read files at a pace. Process i, counted from 0, expects a MemTotal of FIRST_KIB + i * STEP_KIB. A command is
 * a line on stdin:
 *
 *   grow COUNT                         Makes as many as that. The answer is the pids of the new ones.
 *   bind FIRST SOURCE TARGET           Each process from FIRST on binds a file. A % in SOURCE is the process's number.
 *                                      The answer is an empty line.
 *   read PER_SECOND MILLISECONDS FILE  Each process opens, reads and closes all files, of which there may be several,
 *                                      PER_SECOND times a second; the processes take turns, evenly spread.
 *
 * The answer of read is "NANOSECONDS FAILED WRONG", which are the time that all took, failed or empty reads, and those
 * of a meminfo with another MemTotal, or of a stat or uptime whose numbers are less than they were; and a line of
 * latencies in nanoseconds.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_PROCESSES 4096
#define MOST_FILES 32
#define MOST_SAMPLES 4000000
#define SECOND 1000000000ull

struct process {
	/* How many orders it was given, and how many of them it has carried out. */
	_Atomic uint32_t given, done;
	int error;
	uint32_t failed, wrong, count;
};

struct shared {
	struct process processes[MOST_PROCESSES];
	/* The present order. One without files is to bind. */
	char source[4096], target[4096], files[MOST_FILES][256];
	int file_count, count, passes;
	uint64_t begin, interval;
	/* Each process has an equal part of them. */
	uint32_t samples[MOST_SAMPLES];
};

static struct shared *shared;
static pid_t pids[MOST_PROCESSES];
static long first_kib, step_kib;
static char text[16384];

static void fail(const char *action)
{
	perror(action);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void sleep_until(uint64_t due)
{
	struct timespec time = { due / SECOND, due % SECOND };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		continue;
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store(word, value);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Returns after a second at the latest. */
static void wait_while(_Atomic uint32_t *word, uint32_t value)
{
	struct timespec second = { 1, 0 };
	syscall(SYS_futex, word, FUTEX_WAIT, value, &second, NULL, 0);
}

/* Returns the size of the text, or a negative errno. */
static ssize_t read_file(const char *path)
{
	size_t used = 0;
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((size = read(fd, text + used, sizeof text - 1 - used)) > 0)
		used += size;
	ssize_t result = size < 0 ? -errno : (ssize_t)used;
	close(fd);
	text[used] = 0;
	return result;
}

/* Whether one of the numbers behind a word of the text is less than it was. */
static int has_fallen(const char *from, double *known, int most)
{
	int fallen = 0;
	char *end;
	for (int i = 0; i < most; i++, from = end) {
		double value = strtod(from, &end);
		if (end == from)
			return fallen || i == 0;
		fallen |= value < known[i];
		known[i] = value;
	}
	return fallen;
}

static int is_wrong(const char *path, int index)
{
	/* Of this process, which is one container's. */
	static double cpu[10], uptime[2];
	long kib;
	if (strstr(path, "meminfo") != NULL)
		return sscanf(text, "MemTotal: %ld", &kib) != 1 || kib != first_kib + index * step_kib;
	if (strstr(path, "uptime") != NULL)
		return has_fallen(text, uptime, 2);
	if (strstr(path, "/stat") != NULL)
		return strncmp(text, "cpu ", 4) != 0 || has_fallen(text + 4, cpu, 10);
	return 0;
}

/* A pass that is too late by a whole interval is left out. */
static void read_at_pace(struct process *own, int index)
{
	uint32_t *samples = shared->samples + (size_t)MOST_SAMPLES / shared->count * index;
	uint64_t first = shared->begin + shared->interval * index / shared->count;
	own->failed = own->wrong = own->count = 0;
	for (int pass = 0; pass < shared->passes; pass++) {
		uint64_t due = first + pass * shared->interval;
		if (now() > due + shared->interval)
			continue;
		sleep_until(due);
		for (int i = 0; i < shared->file_count; i++) {
			uint64_t before = now();
			ssize_t size = read_file(shared->files[i]);
			uint64_t taken = now() - before;
			samples[own->count++] = taken < UINT32_MAX ? taken : UINT32_MAX;
			if (size <= 0)
				own->failed++;
			else if (is_wrong(shared->files[i], index))
				own->wrong++;
		}
	}
}

static void bind_file(struct process *own, int index)
{
	char source[4200];
	const char *mark = strchr(shared->source, '%');
	int before = mark ? (int)(mark - shared->source) : (int)strlen(shared->source);
	snprintf(source, sizeof source, "%.*s", before, shared->source);
	if (mark)
		snprintf(source + before, sizeof source - before, "%d%s", index, mark + 1);
	if (mount(source, shared->target, NULL, MS_BIND, NULL) != 0)
		own->error = errno;
}

static void live(struct process *own, int index)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		own->error = errno;
	for (uint32_t done = 1;; done++) {
		set(&own->done, done);
		while (atomic_load(&own->given) == done)
			wait_while(&own->given, done);
		if (shared->file_count > 0)
			read_at_pace(own, index);
		else
			bind_file(own, index);
	}
}

static void await(int index)
{
	struct process *process = &shared->processes[index];
	uint32_t done;
	while ((done = atomic_load(&process->done)) != atomic_load(&process->given)) {
		wait_while(&process->done, done);
		if (waitpid(pids[index], NULL, WNOHANG) != 0) {
			fprintf(stderr, "fleet: process %d has ended\n", pids[index]);
			exit(1);
		}
	}
	errno = process->error;
	if (errno != 0)
		fail("fleet: a process");
}

static void grow(int count)
{
	for (; shared->count < count; shared->count++) {
		struct process *process = &shared->processes[shared->count];
		atomic_store(&process->given, 1);
		/* The child must not write its 0 into the memory that it shares. */
		pid_t pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0)
			live(process, shared->count);
		pids[shared->count] = pid;
		await(shared->count);
		printf("%d ", pid);
	}
	printf("\n");
}

static void order_all(void)
{
	for (int i = 0; i < shared->count; i++)
		set(&shared->processes[i].given, shared->processes[i].given + 1);
	for (int i = 0; i < shared->count; i++)
		await(i);
}

/* One after the other. */
static void bind_all(int first, const char *source, const char *target)
{
	snprintf(shared->source, sizeof shared->source, "%s", source);
	snprintf(shared->target, sizeof shared->target, "%s", target);
	shared->file_count = 0;
	for (int i = first; i < shared->count; i++) {
		set(&shared->processes[i].given, shared->processes[i].given + 1);
		await(i);
	}
	printf("\n");
}

static void read_all(double per_second, int milliseconds, char *files)
{
	unsigned failed = 0, wrong = 0;
	shared->file_count = 0;
	for (char *file; (file = strsep(&files, " \n")) != NULL && shared->file_count < MOST_FILES;)
		if (*file)
			snprintf(shared->files[shared->file_count++], sizeof shared->files[0], "%s", file);
	shared->interval = SECOND / per_second;
	shared->passes = per_second * milliseconds / 1000;
	if (shared->file_count == 0 || (long)shared->count * shared->file_count * shared->passes > MOST_SAMPLES)
		exit(2);
	/* All have woken up by then. */
	shared->begin = now() + SECOND / 20 + shared->count * 20000ull;
	order_all();
	for (int i = 0; i < shared->count; i++) {
		failed += shared->processes[i].failed;
		wrong += shared->processes[i].wrong;
	}
	printf("%llu %u %u\n", (unsigned long long)(now() - shared->begin), failed, wrong);
	for (int i = 0; i < shared->count; i++)
		for (uint32_t j = 0; j < shared->processes[i].count; j++)
			printf("%u ", shared->samples[(size_t)MOST_SAMPLES / shared->count * i + j]);
	printf("\n");
}

int main(int argc, char **argv)
{
	static char line[16384], source[4096], target[4096];
	int number, files;
	double per_second;
	if (argc != 3)
		return 2;
	first_kib = atol(argv[1]);
	step_kib = atol(argv[2]);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "grow %d", &number) == 1 && number <= MOST_PROCESSES)
			grow(number);
		else if (sscanf(line, "bind %d %4095s %4095s", &number, source, target) == 3 && number >= 0)
			bind_all(number, source, target);
		else if (sscanf(line, "read %lf %d %n", &per_second, &number, &files) == 2 && per_second > 0)
			read_all(per_second, number, line + files);
		else
			return 2;
		fflush(stdout);
	}
	for (int i = 0; i < shared->count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return 0;
}
