// The file system calls of Linux that Swift's Glibc module lacks.
#ifndef CFILES_H
#define CFILES_H

/// Lets two paths change places at one moment (renameat2 with RENAME_EXCHANGE); 0, or -1 and errno.
int cfiles_exchange(const char *one, const char *other);

/// Moves a path to where nothing is (renameat2 with RENAME_NOREPLACE); 0, or -1 and errno.
int cfiles_move(const char *path, const char *target);

/// Writes what is cached of the file system that holds an open descriptor to its disk (syncfs); 0, or -1
/// and errno.
int cfiles_sync(int descriptor);

/// Gives a file the access lists and the user's extended attributes of another; links are not followed.
/// 0, or -1 and errno.
int cfiles_copy_attributes(const char *from, const char *to);

#endif
