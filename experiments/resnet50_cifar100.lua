-- ResNet50 on CIFAR-100. NASEREX (Table I) has 24.57 % at 2.60 times the speed of a base that
-- reaches 51.95 %: with a hundred classes its thresholds let too much go.
--
--   eex data get cifar100         (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/resnet50_cifar100.lua
--
-- ResNet50 costs fourteen times as much as MobileNetV2, and its feature maps have up to 2048 channels:
-- a gate with one 3x3 block there costs almost half of the whole network. So gates without any block
-- (pooling and a classifier alone) are offered too, at a choice of points.
local eex = require "eex"

return {
  name = "resnet50_cifar100",

  dataset = {
    name = "cifar100",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, 7x7 stem and max pool included: 83 million multiply-accumulates at 32x32.
  backbone = eex.backbones.resnet50 { size = 32, classes = 100 },

  -- Of the 16 places where residual connections merge, the 7 (log2 of its 175 layers) that lie
  -- nearest to even steps of computation.
  saliency = eex.saliency.ranked { metric = "spacing", from = eex.saliency.residual_merges() },
  gates = { blocks = { 0, 1 }, max_exits = 7 },

  -- 25 images of a class are little to learn its thresholds from, so they are learned from what is
  -- predicted as that class; and no exit may cost accuracy.
  policy = { kind = "per_class", temperature = "fitted", by = "prediction",
             tune = "accuracy", target = 0 },

  -- The base is trained first; then the same network with all gates goes on from there.
  training = {
    regime = "joint",
    from = "base",
    epochs = 24,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 5 },
    label_smoothing = 0.1,
    gate_weight = 0.3,
  },

  -- 3^7 structures: few enough to look at every one.
  search = {
    algorithm = "exhaustive",
    evaluator = "shared",
    score = "weighted",
    weight = 0.1,
    trials = 2187,
  },
}
