/*
 * "launcher COUNT FILE PROGRAM [ARGUMENT]...": runs the program so many times, with the file as its stdin, and prints
 * the nanoseconds that each took from before fork(2) to its end.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
	if (argc < 4)
		return 2;
	const int count = atoi(argv[1]);
	for (volatile int done = 0; done < count; done++) {
		int status;
		uint64_t before = now();
		pid_t child = vfork();
		if (child == 0) {
			int input = open(argv[2], O_RDONLY);
			if (input < 0 || dup2(input, 0) < 0)
				_exit(126);
			execv(argv[3], argv + 3);
			_exit(127);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
			fprintf(stderr, "Cannot run %s: status %d\n", argv[3], status);
			return 1;
		}
		printf("%llu\n", (unsigned long long)(now() - before));
	}
	return 0;
}
