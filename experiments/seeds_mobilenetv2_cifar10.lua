-- The main experiment, with three seeds: how much of its figures is chance.
--
--   eex sweep experiments/seeds_mobilenetv2_cifar10.lua
--   eex sweep collect sweeps/seeds_mobilenetv2_cifar10
--
-- Three times what mobilenetv2_cifar10.lua takes; stopped, the same command goes on.
return {
  experiment = "mobilenetv2_cifar10.lua",
  seeds = { 0, 1, 2 },
}
