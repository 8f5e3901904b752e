-- The cheap end of the frontier, with three seeds: how much of its figures is chance.
--
--   eex sweep experiments/seeds_frontier_cifar10.lua
--   eex sweep collect sweeps/seeds_frontier_cifar10
--
-- Three times what frontier_cifar10.lua takes; stopped, the same command goes on.
return {
  experiment = "frontier_cifar10.lua",
  seeds = { 0, 1, 2 },
}
