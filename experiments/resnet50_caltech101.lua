-- ResNet50 on Caltech-101. NASEREX (Table I) has 78.07 % at 5.17 times the speed of a base
-- that reaches 63.50 %.
--
--   eex data get caltech101 --size 64
--   eex run experiments/resnet50_caltech101.lua
--
-- ResNet50 costs fourteen times as much as MobileNetV2, and its feature maps have up to 2048 channels:
-- a gate with one 3x3 block there costs almost half of the whole network. So gates without any block
-- (pooling and a classifier alone) are offered too, at a choice of points.
local eex = require "eex"

return {
  name = "resnet50_caltech101",

  dataset = {
    name = "caltech101",
    calibration = 700,
    validation = 700,
    augment = { crop = 8, flip = true, jitter = 0.2 },
  },

  -- torchvision's network, 7x7 stem and max pool included: 330 million multiply-accumulates at 64x64.
  backbone = eex.backbones.resnet50 { size = 64, classes = 101 },

  -- Of the 16 places where residual connections merge, the 7 (log2 of its 175 layers) that lie
  -- nearest to even steps of computation.
  saliency = eex.saliency.ranked { metric = "spacing", from = eex.saliency.residual_merges() },
  gates = { blocks = { 0, 1 }, max_exits = 7 },

  -- Seven images of a class cannot tell its spread, so one threshold serves all classes of an exit:
  -- the lead of the likeliest class over the second.
  policy = { kind = "margin", temperature = "fitted", tune = "accuracy", target = 0 },

  -- The base is trained first; then the same network with all gates goes on from there.
  training = {
    regime = "joint",
    from = "base",
    epochs = 40,
    batch = 64,
    lr = 0.05,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 8 },
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
