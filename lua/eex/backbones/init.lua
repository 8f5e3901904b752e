-- Backbones: each is a function from options to a finished graph.
return {
  mobilenet_v3 = require "eex.backbones.mobilenet_v3",
  mobilenetv2 = require "eex.backbones.mobilenetv2",
  resnet50 = require "eex.backbones.resnet50",
  resnet_small = require "eex.backbones.resnet_small",
}
