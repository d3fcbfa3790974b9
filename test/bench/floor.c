/*
 * What FUSE itself costs: "floor MOUNTPOINT FILE..." serves the files' bytes as they were when it was started, below
 * their base names, with the same answers to the kernel as procveil gives. One thread, and nothing to compute.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define MOST_FILES 64
#define KERNEL_SIZE 4096
#define LONG_SECONDS 3600

struct file {
	const char *name;
	char *bytes;
	size_t size;
};

static struct file files[MOST_FILES];
static int count;
static int device;
static char request[65536];
static char answer[sizeof(struct fuse_out_header) + 131072];
static char *const body = answer + sizeof(struct fuse_out_header);

static void fail(const char *action)
{
	perror(action);
	exit(1);
}

static void load(const char *path)
{
	struct file *file = &files[count++];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		fail(path);
	file->bytes = malloc(131072);
	file->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	for (ssize_t size; (size = read(fd, file->bytes + file->size, 131072 - file->size)) > 0;)
		file->size += size;
	close(fd);
}

/* Files are the nodes from 2 on. */
static struct file *find(uint64_t nodeid)
{
	return nodeid >= 2 && nodeid < 2 + (uint64_t)count ? &files[nodeid - 2] : NULL;
}

static void describe(struct fuse_attr *attr, uint64_t nodeid, uint64_t size)
{
	attr->ino = nodeid;
	attr->mode = nodeid == FUSE_ROOT_ID ? 0040555 : 0100444;
	attr->nlink = 1;
	attr->size = size;
	attr->blksize = 4096;
}

/* Size of the body, or a negative errno. */
static int serve(const struct fuse_in_header *header, const void *in)
{
	struct file *file = find(header->nodeid);
	switch (header->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *init = in;
		struct fuse_init_out *out = memset(body, 0, sizeof *out);
		out->major = FUSE_KERNEL_VERSION;
		out->minor = init->minor < FUSE_KERNEL_MINOR_VERSION ? init->minor : FUSE_KERNEL_MINOR_VERSION;
		out->max_readahead = init->max_readahead;
		out->flags = init->flags & FUSE_PARALLEL_DIROPS;
		out->max_write = 4096;
		out->max_background = 64;
		return sizeof *out;
	}
	case FUSE_LOOKUP:
		for (int i = 0; i < count; i++) {
			if (strcmp(in, files[i].name) != 0)
				continue;
			struct fuse_entry_out *out = memset(body, 0, sizeof *out);
			out->nodeid = i + 2;
			out->entry_valid = LONG_SECONDS;
			out->attr_valid = LONG_SECONDS;
			describe(&out->attr, out->nodeid, KERNEL_SIZE);
			return sizeof *out;
		}
		return -ENOENT;
	case FUSE_GETATTR: {
		struct fuse_attr_out *out = memset(body, 0, sizeof *out);
		out->attr_valid = LONG_SECONDS;
		describe(&out->attr, header->nodeid, file ? KERNEL_SIZE : 0);
		return sizeof *out;
	}
	case FUSE_OPEN: {
		struct fuse_open_out *out = memset(body, 0, sizeof *out);
		out->fh = header->nodeid;
		out->open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH;
		return sizeof *out;
	}
	case FUSE_READ: {
		const struct fuse_read_in *read = in;
		if (file == NULL || read->offset >= file->size)
			return 0;
		size_t left = file->size - read->offset;
		size_t size = left < read->size ? left : read->size;
		memcpy(body, file->bytes + read->offset, size);
		return size;
	}
	case FUSE_RELEASE:
		return 0;
	default:
		return -ENOSYS;
	}
}

int main(int argc, char **argv)
{
	char options[128];
	if (argc < 3 || argc > 2 + MOST_FILES)
		return 2;
	for (int i = 2; i < argc; i++)
		load(argv[i]);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (mount("floor", argv[1], "fuse.floor", MS_NOSUID | MS_NODEV, options) != 0)
		fail(argv[1]);
	for (;;) {
		const struct fuse_in_header *header = (void *)request;
		struct fuse_out_header *out = (void *)answer;
		if (read(device, request, sizeof request) < 0) {
			if (errno == ENODEV)
				return 0;
			if (errno == EINTR || errno == ENOENT)
				continue;
			fail("read /dev/fuse");
		}
		if (header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET || header->opcode == FUSE_INTERRUPT)
			continue;
		int result = serve(header, request + sizeof *header);
		out->error = result < 0 ? result : 0;
		out->unique = header->unique;
		out->len = sizeof *out + (result > 0 ? result : 0);
		if (write(device, answer, out->len) < 0 && errno != ENOENT)
			fail("write to /dev/fuse");
	}
}
