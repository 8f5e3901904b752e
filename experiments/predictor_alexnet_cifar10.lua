-- Exit prediction on AlexNet, CIFAR-10: the exits and the Exit Predictor of Dong, Mao and Zhang ("Resource-
-- Constrained Edge AI with Early Exit Prediction"), Fig. 7 and Table II.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/predictor_alexnet_cifar10.lua
--
-- To see all of it work, at a small size:
--   eex run experiments/predictor_alexnet_cifar10.lua --out runs/small --set training.epochs=2 \
--     --set predictor.epochs=4 --set dataset.train=5000 --set dataset.calibration=1000 \
--     --set dataset.validation=1000
--
-- For CIFAR-100: predictor_alexnet_cifar100.lua. Where the paper is followed: backbone, exits,
-- their losses' weights in proportion (it has 0.2 and 0.3 beside 0.5 for the end, here both have the mean),
-- SGD with batches of 128, a cosine from 0.1 to 0.0001, 220 epochs (there the cosine ends at the 200th),
-- weight decay 0.0005, and 0.0002 for the predictor. Where it is not: it chose confidence thresholds on
-- the test split; here they come from calibration images, and what its way would have given is reported
-- beside (test_thresholds).
local eex = require "eex"

return {
  name = "predictor_alexnet_cifar10",

  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  backbone = eex.backbones.alexnet { size = 32, classes = 10 },

  -- Behind the pools of the first two convolutions, with 2 and 1 convolutions of 64 channels.
  saliency = { "features.2", "features.5" },
  gates = eex.gates.pooled({ each = { 2, 1 } }, { channels = 64, required = true }),

  policy = { kind = "confidence", a = 0.9 },

  training = {
    regime = "joint",
    from = "scratch",
    epochs = 220,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, weight_decay = 5e-4 },
    schedule = { kind = "cosine", warmup = 1, final = 0.001 },
    clip = 1, -- AlexNet has no batch norm: a precaution at this rate, the paper says nothing of it
    gate_weight = 0.5,
  },

  -- There is one structure.
  search = { algorithm = "exhaustive", evaluator = "shared", score = "accuracy", trials = 1 },

  predictor = { family = "separable", epochs = 220, lambda = "grid", test_thresholds = true },
}
