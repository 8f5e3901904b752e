-- The main experiment beside its rivals, made short, with three seeds: is what exits gain more than
-- chance, and is it more than a network that was cut early and trained as long? An hour or less on
-- two cores, by estimate: it has not been run to its end yet.
--
--   eex sweep experiments/seeds_mobilenetv2_cifar10_small.lua --local 2
--   eex show sweeps/seeds_mobilenetv2_cifar10_small/runs/*
return {
  experiment = "mobilenetv2_cifar10_rivals.lua",
  seeds = { 0, 1, 2 },
  set = {
    ["dataset.train"] = 20000,
    ["training.base_epochs"] = 12,
    ["training.epochs"] = 12,
    ["final.epochs"] = 8,
    ["gates.max_exits"] = 3,
  },
}
