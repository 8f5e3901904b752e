-- The main experiment beside what else the same training could have bought: the base trained for as
-- many epochs as the network with exits sees in all, the base cut off behind each of its exits, and
-- a narrower base of about the MACs (2.2 M: the next width has 3.0 M) that the exits leave on average.
--
--   eex run experiments/mobilenetv2_cifar10_rivals.lua
--   eex run experiments/mobilenetv2_cifar10_rivals.lua --from runs/mobilenetv2_cifar10
--
-- Some three times as long as the main experiment. The second command takes over base and shared
-- network of a run of it, and does the search, the final training and the rivals.
local eex = require "eex"
local e = require "mobilenetv2_cifar10"

e.name = "mobilenetv2_cifar10_rivals"
e.rivals = {
  base = true,
  cuts = true,
  narrower = eex.backbones.mobilenetv2 { size = 32, classes = 10, width = 0.55 },
}

return e
