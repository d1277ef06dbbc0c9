// The Linux file system calls that Swift's Glibc module lacks.
#ifndef CFILES_H
#define CFILES_H

/// Exchanges two paths atomically (renameat2 with RENAME_EXCHANGE); returns 0, or -1 and errno.
int cfiles_exchange(const char *one, const char *other);

/// Renames a path; an existing target is an error (renameat2 with RENAME_NOREPLACE). Returns 0, or
/// -1 and errno.
int cfiles_move(const char *path, const char *target);

/// Writes the cached data of a file system to its disk (syncfs); returns 0, or -1 and errno.
///
/// `descriptor` is any open descriptor of that file system.
int cfiles_sync(int descriptor);

/// Copies the access control lists and `user.` extended attributes of one file to another; returns
/// 0, or -1 and errno.
///
/// Symbolic links are not followed.
int cfiles_copy_attributes(const char *from, const char *to);

#endif
