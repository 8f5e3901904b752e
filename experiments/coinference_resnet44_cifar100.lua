-- Inference between a device and an edge server, ResNet44 on CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained
-- Edge AI with Early Exit Prediction", Fig. 7 to 9): the network and its predictor are those of
-- predictor_resnet44_cifar100.lua, what is cut and how is that of coinference_alexnet_cifar10.lua, which says where it
-- follows the paper. Small sizes: coinference_resnet44_cifar10.lua.
--
--   eex run experiments/coinference_resnet44_cifar100.lua
--   eex adapt runs/coinference_resnet44_cifar100/final-bottleneck.h5 -o fig10.svg
--   eex predictor runs/coinference_resnet44_cifar100/final-bottleneck.h5 --curve \
--     --filtered runs/coinference_resnet44_cifar100/final-filters.h5 -o fig7.svg
local e = require "predictor_resnet44_cifar100"

e.name = "coinference_resnet44_cifar100"
e.partition = { latency = 30, device_gflops = 3.62, epochs = 40, more_epochs = 20, bits = 8, jpeg = 75,
  filters = 0.1, filter_epochs = 20 }

return e
