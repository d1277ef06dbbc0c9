// The file system calls of Linux that Swift's Glibc module lacks.
#ifndef CFILES_H
#define CFILES_H

/// Exchanges two paths atomically (renameat2 with RENAME_EXCHANGE).
///
/// Returns 0, or -1 with errno.
int cfiles_exchange(const char *one, const char *other);

/// Moves a file to a path that does not exist (renameat2 with RENAME_NOREPLACE).
///
/// Returns 0, or -1 with errno.
int cfiles_move(const char *path, const char *target);

/// Writes all cached data of the file system that contains an open descriptor to its disk (syncfs).
///
/// Returns 0, or -1 with errno.
int cfiles_sync(int descriptor);

/// Copies the access control lists and user extended attributes from one file to another; does not
/// follow links.
///
/// Returns 0, or -1 with errno.
int cfiles_copy_attributes(const char *from, const char *to);

#endif
