-- Families: each is a function from options to a finished elastic graph, whose genes a search decides.
return {
  mobilenet_v3 = require "eex.families.mobilenet_v3",
  mobilenetv2 = require "eex.families.mobilenetv2",
  resnet50 = require "eex.families.resnet50",
  resnet_small = require "eex.families.resnet_small",
}
