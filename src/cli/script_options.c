#include "cli/script_options.h"

#include "lua/lua_experiment.h"

int eex_read_experiment(eex_experiment **out, const char *path, const eex_script_options *o)
{
    const eex_lua_experiment_options options = {
        .trust = o->trust, .set = o->set.item, .sets = (size_t)o->set.count};
    return eex_lua_experiment(out, path, &options);
}
