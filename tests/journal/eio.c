/* A disk that fails, for one process: with EIO_UNDER a folder and EIO_WHILE a file, every write and sync below the folder
 * fails with EIO while the file exists. Compiled by test_journal_errors.py, loaded by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(int fd)
{
	const char *under = getenv("EIO_UNDER"), *flag = getenv("EIO_WHILE");
	char link[64], path[PATH_MAX];
	ssize_t length;
	int before = errno;

	if (under == NULL || flag == NULL || access(flag, F_OK) != 0) {
		errno = before;
		return 0;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof path - 1);
	errno = before;
	if (length < 0)
		return 0;
	path[length] = '\0';
	if (strncmp(path, under, strlen(under)) != 0)
		return 0;
	errno = EIO;
	return 1;
}

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) \
		real = (type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, "write", int, const void *, size_t);
	return fails(fd) ? -1 : real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
	return fails(fd) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
	return fails(fd) ? -1 : real(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, "writev", int, const struct iovec *, int);
	return fails(fd) ? -1 : real(fd, parts, count);
}

int fsync(int fd)
{
	REAL(int, "fsync", int);
	return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(int, "fdatasync", int);
	return fails(fd) ? -1 : real(fd);
}
