/* The files that come with the program: they are found relative to it, wherever it was moved to. */
#ifndef EEX_BASE_SHARE_H
#define EEX_BASE_SHARE_H

/* The path of `name` ("datasets", "lua/eex/init.lua"): in $EEX_SHARE when that is set; else, beside
 * the program as it is installed; else, going up from the program's own folder, the first of
 * FOLDER/share/eex/NAME and FOLDER/NAME that exists (a tree that was moved, and the source tree
 * with a build folder in it); else in the source tree of the build that the program lies in. *out
 * is the caller's (free). EEX_ENOTFOUND names where it was looked for. */
int eex_share_find(char **out, const char *name);

/* Where installed files lie, from the folder of the program: "../share/eex". */
const char *eex_share_beside(void);

/* The source tree of a program in `folder`, where that is the folder that this build puts programs
 * into, wherever build and sources are; NULL for one that was installed or moved elsewhere. */
const char *eex_share_tree(const char *folder);

#endif
