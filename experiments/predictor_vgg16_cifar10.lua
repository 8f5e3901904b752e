-- Exit prediction on VGG16-BN, CIFAR-10 (Dong, Mao and Zhang, "Resource-Constrained Edge AI with Early Exit
-- Prediction", Fig. 7 and Table II). predictor_alexnet_cifar10.lua has the rest and says where it follows the
-- paper.
--
--   eex run experiments/predictor_vgg16_cifar10.lua
--
-- To see all of it work, at a small size:
--   eex run experiments/predictor_vgg16_cifar10.lua --out runs/small --set training.epochs=1 \
--     --set predictor.epochs=4 --set dataset.train=3000 --set dataset.calibration=1000 \
--     --set dataset.validation=1000
local eex = require "eex"
local e = require "predictor_alexnet_cifar10"

e.name = "predictor_vgg16_cifar10"
e.backbone = eex.backbones.vgg { depth = 16, batch_norm = true, bias = false, size = 32, classes = 10 }

-- Behind the first and the third convolution, with 3 and 2 convolutions.
e.saliency = { "features.2", "features.9" }
e.gates = eex.gates.strided({ each = { 3, 2 } }, { required = true })

e.training.clip = nil -- which is for AlexNet, the one without batch norm

return e
