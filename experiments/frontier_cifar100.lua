-- The frontier of accuracy against computation on CIFAR-100: frontier_cifar10_wide.lua, which lies beside it,
-- with a hundred classes, within 14 million average multiply-accumulates, every gate that was run counted. No
-- figure is set for it; NASEREX (Table I) has 49.76 % with MobileNetV2.
--
--   eex data get cifar100          (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/frontier_cifar100.lua
--
-- Six to seven hours on two cores, by what its steps took on a crowded machine; no run of this length has been
-- made. Stopped, it goes on from its last checkpoint, so it can be run in pieces. An hour's version:
--   --set training.base_epochs=8 --set training.epochs=14 --set final.epochs=6
-- What its exits cost: eex cost experiments/frontier_cifar100.lua --genome 1,-,1,-,-,1,-,-
-- has them at 8.7, 14.2 and 22.6 million, the end at 37.5: 13.8 on average where 52, 32, 9 and 7 % leave there.
local eex = require "eex"
local e = require "frontier_cifar10_wide"

e.name = "frontier_cifar100"
e.dataset.name = "cifar100"
e.backbone = eex.backbones.mobilenetv2 {
  size = 32, classes = 100, width = 0.6, stem_stride = 1, strides = { 1, 2, 1, 2, 1, 2, 1 },
  dropout = 0, zero_init_residual = true,
}

return e
