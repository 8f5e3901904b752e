/* Files and folders.
 *
 * A file that is written here is complete or absent, also after a power cut: it is written aside,
 * flushed, renamed, and the folder is flushed. Text that is returned belongs to the caller (free).
 */
#ifndef EEX_BASE_FS_H
#define EEX_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "folder/name"; `name` alone when it is absolute or the folder is empty. */
int eex_path_join(char **out, const char *folder, const char *name);

/* The part behind the last slash: borrowed, never NULL. */
const char *eex_path_base(const char *path);

/* The part before the last slash; "." when there is none. */
int eex_path_folder(char **out, const char *path);

/* False when there is surely nothing of that name. Where the system does not tell, in folders that
 * one may not search, it is true: what opens it then says why it cannot. */
bool eex_fs_exists(const char *path);
int eex_fs_find(const char *path); /* EEX_ENOTFOUND says so where it is false */
bool eex_fs_is_folder(const char *path);
bool eex_fs_is_file(const char *path);             /* a regular one, or a link to one */
bool eex_fs_is_same(const char *a, const char *b); /* one file or folder, links followed */
bool eex_fs_is_link(const char *path);             /* a symbolic one, wherever it leads */

/* Opens /dev/null for standard input, output and error where a process was started without them:
 * otherwise the next file that is opened gets their number, and what is meant for people is written
 * into it. The output cannot be written to then, so that no result is lost without a word. At the
 * start of a program. */
int eex_fs_open_standard(void);

/* Whether the standard input can be read: false where the program was started without one, which
 * is no empty one. */
bool eex_fs_has_input(void);

/* Whether the standard output takes anything: false where the program was started without one. */
bool eex_fs_has_output(void);

/* Bytes of a regular file. EEX_ENOTFOUND, EEX_EIO. */
int eex_fs_size(uint64_t *out, const char *path);

/* Makes the folder and those above it (mkdir -p), to stay there after a power cut; one that exists
 * is fine. */
int eex_fs_make_folder(const char *path);

/* The same; *made (free) becomes the uppermost folder that was not there, NULL where all were, also
 * when it fails. eex_fs_unmake_folders removes what was made so as far as it is empty. */
int eex_fs_make_folders(char **made, const char *path);
void eex_fs_unmake_folders(const char *made, const char *path); /* accepts made = NULL */

/* Opens a regular file for reading; anything else, which might keep the caller for ever (a pipe) or
 * has no end (a device), is refused by what it is. The descriptor is the caller's to close. */
int eex_fs_open(int *out, const char *path);

/* Opens a file that is written in place, or makes it (*made): a regular one that has no other name,
 * never by a symbolic link. `flags` of open besides, O_APPEND for instance; EEX_EIO says what is
 * there instead. The descriptor is the caller's to close. */
int eex_fs_open_own(int *out, bool *made, const char *path, int flags);

/* Reads a whole regular file; a NUL that `size` (may be NULL) does not count follows the data.
 * EEX_ENOTFOUND when there is none, EEX_EFORMAT when it is larger than `limit` bytes. */
int eex_fs_read(char **out, size_t *size, const char *path, size_t limit);

/* Whether a file could be written there now: tries it beside, under the name of a part, and takes
 * that away again. For whoever works long before writing. EEX_EINVAL when a folder is there,
 * EEX_ENOTFOUND when its folder is missing, else EEX_EIO. */
int eex_fs_try(const char *path);

/* Whether eex_fs_make_folder could make the folder, or has nothing to make. */
int eex_fs_try_folder(const char *path);

/* Writes a whole file atomically. A symbolic link of that name is replaced, not followed; into what
 * eex_fs_is_stream says yes to, the data are written as they are. */
int eex_fs_write(const char *path, const void *data, size_t size);

/* Whether the name is that of a pipe or a terminal, of /dev/null and its like, or of a file that
 * the process has open (/dev/stdout): nothing that could be replaced by a file. */
bool eex_fs_is_stream(const char *path);

/* Opens such a name to write into; a pipe that nobody reads from is an error, not a wait. The
 * descriptor is the caller's to close. */
int eex_fs_open_stream(int *out, const char *path);

/* Copies a regular file of any size, in blocks; `path` is complete or as it was. EEX_EINTERRUPTED
 * after a signal. */
int eex_fs_copy(const char *path, const char *source);

/* Whether two files have the same bytes. EEX_EINTERRUPTED. */
int eex_fs_same(bool *out, const char *a, const char *b);

/* The same as eex_fs_write for libraries that write files themselves: they write to the name that
 * eex_fs_part_name gives (unique, in the same folder, ending in ".part"), then eex_fs_commit
 * flushes it and renames it to `path`. On failure the caller's part is removed. Nothing has that
 * name, links included; who writes it still says O_EXCL, or has it made empty by eex_fs_part_make
 * where other programs write it, who would follow what somebody puts there. */
int eex_fs_part_name(char **out, const char *path);
int eex_fs_part_make(char **out, const char *path);
int eex_fs_commit(const char *part, const char *path);

/* Removes parts that a killed process left in a folder, known by the names that eex_fs_part_name
 * gives. Only for the holder of its lock. */
int eex_fs_remove_parts(const char *folder);

/* Removes a file or a link, never a folder. Absent is fine. */
int eex_fs_remove_file(const char *path);

/* Removes a file or a folder with all it contains, never following links. Absent is fine. */
int eex_fs_remove_tree(const char *path);

/* The names in a folder, without "." and "..", sorted by bytes. */
typedef struct eex_fs_names {
    char **names;
    size_t count;
} eex_fs_names;

int eex_fs_list(eex_fs_names *out, const char *folder);
void eex_fs_names_free(eex_fs_names *names);

/* An exclusive lock on a folder, held until released or until the process ends in whatever way: a
 * file ".lock" in it, which must be a regular file of its own, no link. EEX_EBUSY names the process
 * that holds it; EEX_EUNSUPPORTED where the file system has no locks. A file that was made for a
 * lock that then fails is removed again. */
typedef struct eex_lock eex_lock;

int eex_lock_acquire(eex_lock **out, const char *folder);
void eex_lock_release(eex_lock *lock); /* accepts NULL */

/* The same, and the file is gone if it was made for this lock: for whoever has locked a folder and
 * then not used it. */
void eex_lock_discard(eex_lock *lock);

/* Which process of this machine holds a folder's lock, without touching it; 0: none does.
 * EEX_EUNSUPPORTED where the system does not say. */
int eex_lock_holder(long *pid, const char *folder);

#endif
