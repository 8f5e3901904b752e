-- Backbones: each is a function from options to a finished graph.
return {
  alexnet = require "eex.backbones.alexnet",
  mobilenet_v3 = require "eex.backbones.mobilenet_v3",
  mobilenetv2 = require "eex.backbones.mobilenetv2",
  resnet18 = require "eex.backbones.resnet18",
  resnet50 = require "eex.backbones.resnet50",
  resnet_cifar = require "eex.backbones.resnet_cifar",
  resnet_small = require "eex.backbones.resnet_small",
  vgg = require "eex.backbones.vgg",
}
