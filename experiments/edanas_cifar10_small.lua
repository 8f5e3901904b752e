-- The pipeline of edanas_cifar10.lua at a size for two cores: the same genes, exits, steps and search on
-- half the channels, images of 32 to 48 pixels, short trainings and 64 candidates. What is not here is
-- as it is there.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/edanas_cifar10_small.lua
--
-- Meant for less than an hour on two cores.
local eex = require "eex"
local e = require "edanas_cifar10"

e.name = "edanas_cifar10_small"
e.backbone = eex.families.mobilenet_v3 {
  classes = 10, width = 0.5, sizes = { 32, 40, 48 }, zero_init_residual = true,
}

e.training.base_epochs = 4
e.training.epochs = 8
e.training.sandwich = 1
e.training.schedule.warmup = 1
e.training.shrink = { depth = 2, expansion = 4 }

e.candidate.epochs = 1

e.search.initial = 32
e.search.trials = 64
e.search.front = 5

return e
