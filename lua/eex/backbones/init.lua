-- Backbones: each is a function from options to a finished graph.
return {
  mobilenetv2 = require "eex.backbones.mobilenetv2",
  resnet50 = require "eex.backbones.resnet50",
  resnet_small = require "eex.backbones.resnet_small",
}
