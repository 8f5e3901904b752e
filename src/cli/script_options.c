#include "cli/script_options.h"

#include "cli/repl.h"
#include "lua/lua_experiment.h"

static eex_lua_experiment_options reading(const eex_script_options *o)
{
    return (eex_lua_experiment_options){.trust = o->trust,
                                        .set = o->set.item,
                                        .sets = (size_t)o->set.count,
                                        .stop = eex_repl_stopper()};
}

int eex_read_experiment(eex_experiment **out, const char *path, const eex_script_options *o)
{
    const eex_lua_experiment_options options = reading(o);
    return eex_lua_experiment(out, path, &options);
}

int eex_experiment_from(eex_experiment **out, lua_State *L, const char *path,
                        const eex_script_options *o)
{
    const eex_lua_experiment_options options = reading(o);
    return eex_lua_experiment_of(out, L, path, &options);
}
