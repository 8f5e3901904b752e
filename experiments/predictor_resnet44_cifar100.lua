-- Exit prediction on ResNet44, CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained Edge AI with Early Exit
-- Prediction", Table II: 72.60 % at 41.67 MFLOPs on the device after 220 epochs). The recipe is that of
-- predictor_resnet44_cifar10.lua, which has small sizes too. Table II has other predictors beside it:
--   --set predictor.family=plain, linear or lenet
--
--   eex data get cifar100         (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/predictor_resnet44_cifar100.lua
local eex = require "eex"
local e = require "predictor_resnet44_cifar10"

e.name = "predictor_resnet44_cifar100"
e.dataset.name = "cifar100"
e.backbone = eex.backbones.resnet_cifar { depth = 44, size = 32, classes = 100 }

return e
