/* SPDX-License-Identifier: Apache-2.0 */
/* A directory as a pof_folder, and files that hold secrets. */
#ifndef POF_IO_DIRECTORY_H
#define POF_IO_DIRECTORY_H

#include "base/folder.h"

struct pof_directory;

/* Opens an existing directory to read, or to write: then the file `lock` in it is locked
 * (flock(2)) until it is closed, and POF_E_LOCKED says that somebody else does. */
int pof_directory_open(struct pof_directory **out, const char *path, const char *lock,
                       struct pof_err *err) POF_CHECKED;
/* A new directory under a temporary name beside path (".NAME.XXXXXX"), to be filled and then
 * published; POF_E_EXISTS when path is there and not an empty directory. */
int pof_directory_make(struct pof_directory **out, const char *path,
                       struct pof_err *err) POF_CHECKED;
/* Gives a made directory its name, durably. */
int pof_directory_publish(struct pof_directory *d, struct pof_err *err) POF_CHECKED;
/* Closes; one that was made and not published is removed with what is in it. NULL allowed. */
void pof_directory_close(struct pof_directory *d);

/* Its callbacks; valid while it is open. */
struct pof_folder pof_directory_folder(struct pof_directory *d);
/* Writes a new file that only its owner may read (mode 0600), durably. */
int pof_directory_secret(struct pof_directory *d, const char *file, struct pof_text bytes,
                         struct pof_err *err) POF_CHECKED;

/* Puts a symbolic link to path (made absolute) into it, for a secret that is kept elsewhere. */
int pof_directory_link(struct pof_directory *d, const char *file, const char *path,
                       struct pof_err *err) POF_CHECKED;

/* Is there a file, of whatever kind? */
bool pof_file_exists(const char *path);
/* Writes a new file that only its owner may read, whole or not at all, durably. */
int pof_secret_write(const char *path, struct pof_text bytes, struct pof_err *err) POF_CHECKED;
/* Reads a file that holds a secret, of at most max bytes, or a pipe ("/dev/fd/3"). POF_E_PERMISSION
 * when anybody but its owner may read or write it. */
int pof_secret_read(const char *path, size_t max, struct pof_buf *out,
                    struct pof_err *err) POF_CHECKED;

#endif
