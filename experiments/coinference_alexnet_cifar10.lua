-- Inference between a device and an edge server, AlexNet on CIFAR-10: exits, Exit Predictor, bottleneck and
-- settings by bandwidth of Dong, Mao and Zhang ("Resource-Constrained Edge AI with Early Exit Prediction"),
-- Fig. 7 to 10. The network and its predictor are those of predictor_alexnet_cifar10.lua, which says where it
-- follows the paper.
--
--   eex run experiments/coinference_alexnet_cifar10.lua
--   eex show runs/coinference_alexnet_cifar10
--   eex adapt runs/coinference_alexnet_cifar10/final-bottleneck.h5 -o fig10.svg
--   eex predictor runs/coinference_alexnet_cifar10/final-bottleneck.h5 --curve \
--     --filtered runs/coinference_alexnet_cifar10/final-filters.h5 -o fig7.svg
--
-- Within an hour on two cores, all of it at a small size (accuracies are far below the paper's):
--   eex run experiments/coinference_alexnet_cifar10.lua --out runs/small --set training.epochs=10 \
--     --set predictor.epochs=10 --set partition.epochs=4 --set partition.more_epochs=2 \
--     --set partition.filter_epochs=1
-- To see it work, in a minute or two:
--   eex run experiments/coinference_alexnet_cifar10.lua --out runs/tiny --set training.epochs=1 \
--     --set predictor.epochs=1 --set partition.epochs=1 --set partition.more_epochs=1 \
--     --set partition.filter_epochs=1 \
--     --set dataset.train=2000 --set dataset.calibration=500 --set dataset.validation=500
--
-- Where the paper is followed (Section V-C): a requirement of 30 ms, a Raspberry Pi 3 of 3.62 GFLOPS, a server
-- that takes no time, bandwidths from 0.1 to 100 Mbit/s with three regressors, an encoder to half the height and
-- width and a quarter of the channels with a ReLU, 8 bits. The paper shows VGG16-BN on CIFAR-100 alone; it does not
-- say how long the bottleneck learns, nor whether the network without a tenth of its filters (Fig. 7) is trained on:
-- here it is, for 20 epochs.
local e = require "predictor_alexnet_cifar10"

e.name = "coinference_alexnet_cifar10"
e.partition = { latency = 30, device_gflops = 3.62, epochs = 40, more_epochs = 20, bits = 8, jpeg = 75,
  filters = 0.1, filter_epochs = 20 }

return e
