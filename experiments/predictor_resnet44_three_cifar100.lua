-- Exit prediction on ResNet44 with three early exits, CIFAR-100 (Dong, Mao and Zhang, "Resource-Constrained Edge AI
-- with Early Exit Prediction", Fig. 9, Tables IV and VI). The recipe is that of predictor_resnet44_cifar100.lua.
--
--   eex run experiments/predictor_resnet44_three_cifar100.lua
--   eex predictor runs/predictor_resnet44_three_cifar100 --curve -o fig9.svg
--
-- Beside a network without a tenth of its filters, as Fig. 7 and 8 have it of the two exits:
--   eex prune runs/predictor_resnet44_three_cifar100 --filters 0.1 -o narrow.h5
--   eex predictor runs/predictor_resnet44_three_cifar100 --curve --filtered narrow.h5 -o curves.svg
--
-- Within an hour on two cores, all of it at a small size (accuracies are far below the paper's):
--   eex run experiments/predictor_resnet44_three_cifar100.lua --out runs/small --set training.epochs=4 \
--     --set predictor.epochs=10 --set dataset.train=10000
-- To see it work:
--   eex run experiments/predictor_resnet44_three_cifar100.lua --out runs/tiny --set training.epochs=1 \
--     --set predictor.epochs=1 --set dataset.train=512 --set dataset.calibration=200 --set dataset.validation=200
local eex = require "eex"
local e = require "predictor_resnet44_cifar100"

e.name = "predictor_resnet44_three_cifar100"

-- Behind the first, the fourth and the eighth residual block, with 2, 1 and 1 blocks. Losses are weighted 0.2 to
-- 0.4 for the end there, as here.
e.saliency = { "layer1.0.relu_1", "layer1.3.relu_1", "layer2.0.relu_1" }
e.gates = eex.gates.residual({ each = { 2, 1, 1 } }, { required = true })

return e
