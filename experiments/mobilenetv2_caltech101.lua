-- MobileNetV2 on Caltech-101. NASEREX (Table I):
-- 61.52 % at 1.86 times the speed of a base that reaches 50.61 %.
--
--   eex data get caltech101 --size 64      (101 classes of 40 to 800 photographs)
--   eex run experiments/mobilenetv2_caltech101.lua
--
-- Few images: a fifth are for testing, and what is left trains longer, with stronger augmentation.
local eex = require "eex"

return {
  name = "mobilenetv2_caltech101",

  dataset = {
    name = "caltech101",
    calibration = 600,
    validation = 600,
    augment = { crop = 8, flip = true, cutout = 16, jitter = 0.2 },
  },

  -- torchvision's network, strides unmodified: 24 million multiply-accumulates an image of 64x64.
  backbone = eex.backbones.mobilenetv2 { size = 64, classes = 101 },

  -- Where a gate may be: wherever a residual connection merges (10 places).
  saliency = eex.saliency.residual_merges(),

  -- A gate: one or two blocks of conv 3x3, batch norm and activation, then pooling and a classifier.
  -- At most 7 of them, log2 of the network's 152 layers.
  gates = { blocks = { 1, 2 }, max_exits = 7 },

  -- An image leaves when its class is likelier than mu + a sigma of that class, as published; a is
  -- not fixed to 0.5 but set for each exit, on the calibration images: as cheap as possible while
  -- no less accurate than the network's end.
  policy = { kind = "per_class", temperature = 5, tune = "accuracy", target = 0 },

  -- Base and gated network are trained by the same recipe; the gated one starts from the base, as in
  -- the paper. All exits learn at once; there are 20 gates, so each one's loss weighs less than that
  -- of the end.
  training = {
    regime = "joint",
    from = "base",
    epochs = 60,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 10 },
    label_smoothing = 0.1,
    gate_weight = 0.3,
  },

  -- Aging evolution over 3^10 structures, each judged by replay. The score: validation accuracy, less
  -- one percent for each tenth of the base's cost.
  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted",
    weight = 0.1,
    population = 100,
    sample = 20,
    trials = 4000,
  },
}
