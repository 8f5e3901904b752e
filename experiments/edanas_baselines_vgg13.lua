-- VGG-13 with nine exits on CIFAR-10: "VGG-13" and "EEVGG-13" of EDANAS's Table I (75.4 % without
-- exits, 86.7 % with them). What is published of it and what is ours: edanas_baselines_alexnet.lua.
--
--   eex run experiments/edanas_baselines_vgg13.lua
--   eex run experiments/edanas_baselines_vgg13.lua --out runs/small --set training.epochs=1 \
--     --set dataset.train=1000 --set dataset.calibration=500 --set dataset.validation=500
local eex = require "eex"
local e = require "edanas_baselines_alexnet"

e.name = "edanas_baselines_vgg13"

-- Ten convolutions without batch norm, 247 million multiply-accumulates an image.
e.backbone = eex.backbones.vgg { size = 32, classes = 10, depth = 13 }

-- Behind each convolution but the last, which has the classifier behind it.
e.saliency = { "features.1", "features.4", "features.6", "features.9", "features.11", "features.14",
               "features.16", "features.19", "features.21" }

return e
