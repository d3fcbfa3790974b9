/*
 * "launcher FILE PROGRAM [ARGUMENT]...": runs the program with the file as its stdin, and prints the nanoseconds from
 * before vfork(2) to its end, and its peak memory in KiB (ru_maxrss of getrusage(2)).
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

int main(int argc, char **argv)
{
	int status;
	struct rusage usage;
	if (argc < 3)
		return 2;
	const uint64_t before = now();
	pid_t child = vfork();
	if (child == 0) {
		int input = open(argv[1], O_RDONLY);
		if (input < 0 || dup2(input, 0) < 0)
			_exit(126);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
		fprintf(stderr, "Cannot run %s: status %d\n", argv[2], status);
		return 1;
	}
	printf("%llu %ld\n", (unsigned long long)(now() - before), usage.ru_maxrss);
	return 0;
}
