-- Exit prediction on AlexNet, CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained Edge AI with Early Exit
-- Prediction", Table II: 60.52 % at 13.27 MFLOPs on the device after 220 epochs). The recipe is that of
-- predictor_alexnet_cifar10.lua, which has small sizes too. Table II has other predictors beside it:
--   --set predictor.family=plain, linear or lenet
--
--   eex data get cifar100         (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/predictor_alexnet_cifar100.lua
local eex = require "eex"
local e = require "predictor_alexnet_cifar10"

e.name = "predictor_alexnet_cifar100"
e.dataset.name = "cifar100"
e.backbone = eex.backbones.alexnet { size = 32, classes = 100 }

return e
