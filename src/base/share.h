/* The files that come with the program: they are found relative to it, wherever it was moved to. */
#ifndef EEX_BASE_SHARE_H
#define EEX_BASE_SHARE_H

/* The path of `name` ("datasets", "lua/eex/init.lua"): in $EEX_SHARE when that is set; else, going
 * up from the program's own folder, the first of FOLDER/share/eex/NAME and FOLDER/NAME that exists
 * (the installed layout and the source tree with a build folder in it). *out is the caller's
 * (free). EEX_ENOTFOUND names where it was looked for. */
int eex_share_find(char **out, const char *name);

#endif
