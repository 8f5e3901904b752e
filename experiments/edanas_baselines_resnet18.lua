-- ResNet-18 with nine exits on CIFAR-10: "ResNet-18" and "EEResNet-18" of EDANAS's Table I (81.6 %
-- without exits, 84.9 % with them). What is published of it and what is ours:
-- edanas_baselines_alexnet.lua.
--
--   eex run experiments/edanas_baselines_resnet18.lua
--   eex run experiments/edanas_baselines_resnet18.lua --out runs/small --set training.epochs=1 \
--     --set dataset.train=1000 --set dataset.calibration=500 --set dataset.validation=500
local eex = require "eex"
local e = require "edanas_baselines_alexnet"

e.name = "edanas_baselines_resnet18"

-- torchvision's network with a stem for small images: 3x3 with stride 1, no pool.
e.backbone = eex.backbones.resnet18 { size = 32, classes = 10, stem = "cifar" }

-- Behind the stem and each of the eight blocks.
e.saliency = { "relu", "layer1.0.relu_1", "layer1.1.relu_1", "layer2.0.relu_1", "layer2.1.relu_1",
               "layer3.0.relu_1", "layer3.1.relu_1", "layer4.0.relu_1", "layer4.1.relu_1" }

return e
