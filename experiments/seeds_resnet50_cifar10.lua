-- ResNet50 on CIFAR-10, with three seeds: how much of its figures is chance.
--
--   eex sweep experiments/seeds_resnet50_cifar10.lua
--   eex sweep collect sweeps/seeds_resnet50_cifar10
--
-- Three times what resnet50_cifar10.lua takes; stopped, the same command goes on.
return {
  experiment = "resnet50_cifar10.lua",
  seeds = { 0, 1, 2 },
}
