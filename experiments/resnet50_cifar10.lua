-- ResNet50 on CIFAR-10. NASEREX (Table I) has 85.28 % at 4.08 times the speed of a base that
-- reaches 82.73 %.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/resnet50_cifar10.lua
--
-- ResNet50 costs fourteen times as much as MobileNetV2, and its feature maps have up to 2048 channels:
-- a gate with one 3x3 block there costs almost half of the whole network. So gates without any block
-- (pooling and a classifier alone) are offered too, at a choice of points.
--
-- Where `eex devices` says that the processor multiplies in bfloat16, it takes half the time with
--   --set precision=bfloat16-products --set training.precision=bfloat16-products
local eex = require "eex"

return {
  name = "resnet50_cifar10",

  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, 7x7 stem and max pool included: 83 million multiply-accumulates at 32x32.
  backbone = eex.backbones.resnet50 { size = 32, classes = 10 },

  -- Of the 16 places where residual connections merge, the 7 (log2 of its 175 layers) that lie
  -- nearest to even steps of computation.
  saliency = eex.saliency.ranked { metric = "spacing", from = eex.saliency.residual_merges() },
  gates = { blocks = { 0, 1 }, max_exits = 7 },

  -- Per class, as published: accept above mu + a sigma. The temperature is fitted and a is set for each
  -- exit, both on the calibration images: as cheap as possible while at most one percent less accurate
  -- than the end of the network.
  policy = { kind = "per_class", temperature = "fitted", tune = "accuracy", target = -0.01 },

  -- The base is trained first; then the same network with all gates goes on from there.
  training = {
    regime = "joint",
    from = "base",
    epochs = 20,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 4 },
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

  -- The chosen network goes on without the gates that were not chosen.
  final = {
    epochs = 10,
    lr = 0.05,
    schedule = { kind = "cosine", warmup = 0 },
    gate_weight = 1,
  },
}
