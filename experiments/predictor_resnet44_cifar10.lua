-- Exit prediction on ResNet44, CIFAR-10 (Dong, Mao and Zhang, "Resource-Constrained Edge AI with Early Exit
-- Prediction", Fig. 7 and Table II). predictor_alexnet_cifar10.lua has the rest and says where it follows the
-- paper.
--
--   eex run experiments/predictor_resnet44_cifar10.lua
--
-- To see all of it work, at a small size:
--   eex run experiments/predictor_resnet44_cifar10.lua --out runs/small --set training.epochs=2 \
--     --set predictor.epochs=4 --set dataset.train=5000 --set dataset.calibration=1000 \
--     --set dataset.validation=1000
local eex = require "eex"
local e = require "predictor_alexnet_cifar10"

e.name = "predictor_resnet44_cifar10"
e.backbone = eex.backbones.resnet_cifar { depth = 44, size = 32, classes = 10 }

-- Behind the first and the eighth residual block, with 2 and 1 blocks.
e.saliency = { "layer1.0.relu_1", "layer2.0.relu_1" }
e.gates = eex.gates.residual({ each = { 2, 1 } }, { required = true })

e.training.clip = nil -- which is for AlexNet, the one without batch norm

return e
