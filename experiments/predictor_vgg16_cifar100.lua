-- Exit prediction on VGG16-BN, CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained Edge AI with Early Exit
-- Prediction", Table II: 74.39 % at 67.30 MFLOPs on the device after 220 epochs). The recipe is that of
-- predictor_vgg16_cifar10.lua, which has small sizes too. Table II has other predictors beside it:
--   --set predictor.family=plain, linear or lenet
--
--   eex data get cifar100         (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/predictor_vgg16_cifar100.lua
local eex = require "eex"
local e = require "predictor_vgg16_cifar10"

e.name = "predictor_vgg16_cifar100"
e.dataset.name = "cifar100"
e.backbone = eex.backbones.vgg { depth = 16, batch_norm = true, bias = false, size = 32, classes = 100 }

return e
