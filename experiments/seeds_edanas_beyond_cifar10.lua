-- A network and its exits searched together, with three seeds: how much of its figures is chance.
--
--   eex sweep experiments/seeds_edanas_beyond_cifar10.lua
--   eex sweep collect sweeps/seeds_edanas_beyond_cifar10
--
-- Three times what edanas_beyond_cifar10.lua takes; stopped, the same command goes on.
return {
  experiment = "edanas_beyond_cifar10.lua",
  seeds = { 0, 1, 2 },
}
