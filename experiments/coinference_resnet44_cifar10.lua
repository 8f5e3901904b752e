-- Inference between a device and an edge server, ResNet44 on CIFAR-10 (Dong, Mao and Zhang, "Resource-Constrained
-- Edge AI with Early Exit Prediction", Fig. 7 to 10): the network and its predictor are those of
-- predictor_resnet44_cifar10.lua, what is cut and how is that of coinference_alexnet_cifar10.lua, which says where it
-- follows the paper.
--
--   eex run experiments/coinference_resnet44_cifar10.lua
--
-- Within an hour on two cores, all of it at a small size (accuracies are far below the paper's):
--   eex run experiments/coinference_resnet44_cifar10.lua --out runs/small --set training.epochs=4 \
--     --set predictor.epochs=10 --set partition.epochs=2 --set partition.more_epochs=1 \
--     --set partition.filter_epochs=1 --set dataset.train=10000
-- To see it work:
--   eex run experiments/coinference_resnet44_cifar10.lua --out runs/tiny --set training.epochs=1 \
--     --set predictor.epochs=1 --set partition.epochs=1 --set partition.more_epochs=1 \
--     --set partition.filter_epochs=1 \
--     --set dataset.train=512 --set dataset.calibration=200 --set dataset.validation=200
local e = require "predictor_resnet44_cifar10"

e.name = "coinference_resnet44_cifar10"
e.partition = { latency = 30, device_gflops = 3.62, epochs = 40, more_epochs = 20, bits = 8, jpeg = 75,
  filters = 0.1, filter_epochs = 20 }

return e
