#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

int cfiles_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int cfiles_move(const char *path, const char *target) {
    return renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE);
}

int cfiles_sync(int descriptor) { return syncfs(descriptor); }

static int copy_attribute(const char *from, const char *to, const char *name) {
    ssize_t size = lgetxattr(from, name, NULL, 0);
    if (size < 0) return -1;
    char *value = malloc(size > 0 ? size : 1);
    if (value == NULL) return -1;
    size = lgetxattr(from, name, value, size);
    int status = size < 0 ? -1 : lsetxattr(to, name, value, size, 0);
    free(value);
    return status;
}

int cfiles_copy_attributes(const char *from, const char *to) {
    ssize_t size = llistxattr(from, NULL, 0);
    if (size < 0) return errno == ENOTSUP ? 0 : -1;
    char *names = malloc(size > 0 ? size : 1);
    if (names == NULL) return -1;
    size = llistxattr(from, names, size);
    int status = size < 0 ? -1 : 0;
    for (ssize_t start = 0; status == 0 && start < size; start += strlen(names + start) + 1) {
        const char *name = names + start;
        if (strncmp(name, "user.", 5) == 0 || strncmp(name, "system.posix_acl_", 17) == 0)
            status = copy_attribute(from, to, name);
    }
    free(names);
    return status;
}
