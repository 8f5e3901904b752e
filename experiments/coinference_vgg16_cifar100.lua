-- Inference between a device and an edge server, VGG16-BN on CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained
-- Edge AI with Early Exit Prediction", Fig. 10): the network and its predictor are those of
-- predictor_vgg16_cifar100.lua, what is cut and how is that of coinference_alexnet_cifar10.lua, which says where it
-- follows the paper. Small sizes: coinference_vgg16_cifar10.lua.
--
-- Fig. 10's static settings are confidences of 0.95 and 0.85, which the authors chose on the test split; here
-- "static" has the policy's 0.9, and "static, predictor" what a grid finds on calibration images.
--
--   eex run experiments/coinference_vgg16_cifar100.lua
--   eex adapt runs/coinference_vgg16_cifar100/final-bottleneck.h5 -o fig10.svg
--   eex predictor runs/coinference_vgg16_cifar100/final-bottleneck.h5 --curve \
--     --filtered runs/coinference_vgg16_cifar100/final-filters.h5 -o fig7.svg
local e = require "predictor_vgg16_cifar100"

e.name = "coinference_vgg16_cifar100"
e.partition = { latency = 30, device_gflops = 3.62, epochs = 40, more_epochs = 20, bits = 8, jpeg = 75,
  filters = 0.1, filter_epochs = 20 }

return e
