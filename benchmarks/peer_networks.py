"""MobileNetV2 and ResNet50 layer by layer as torchvision defines them, and the gates of Table III of
NASEREX: what peer_torch_*.py measure. Random weights: only time is asked for."""
import torch
from torch import nn

CLASSES, SIDE = 10, 32

# after features[i]: blocks of Conv3x3-BN-ReLU6
TABLE3 = {3: 2, 5: 2, 6: 2, 8: 3, 13: 4, 15: 3, 16: 3}


def conv_bn_relu6(cin, out, kernel=3, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(cin, out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    def __init__(self, cin, out, stride, expand):
        super().__init__()
        hidden = cin * expand
        layers = [conv_bn_relu6(cin, hidden, 1)] if expand != 1 else []
        layers += [conv_bn_relu6(hidden, hidden, 3, stride, hidden),
                   nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out)]
        self.conv = nn.Sequential(*layers)
        self.residual = stride == 1 and cin == out
        self.out = out

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, gated):
        super().__init__()
        rows = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                (6, 160, 3, 2), (6, 320, 1, 1)]
        features, cin = [conv_bn_relu6(3, 32, 3, 2)], 32
        for expand, out, repeats, stride in rows:
            for i in range(repeats):
                features.append(InvertedResidual(cin, out, stride if i == 0 else 1, expand))
                cin = out
        features.append(conv_bn_relu6(cin, 1280, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, CLASSES))
        self.gates = nn.ModuleDict()
        if gated:
            for at, blocks in TABLE3.items():
                self.gates[str(at)] = gate(features[at].out, blocks)

    def forward(self, x):
        exits = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if str(i) in self.gates:
                exits.append(self.gates[str(i)](x))
        return exits + [self.classifier(x.mean((2, 3)))]


def gate(channels, blocks):
    layers = [conv_bn_relu6(channels, channels) for _ in range(blocks)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(channels, CLASSES))


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or cin != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(cin, 4 * width, 1, stride, bias=False),
                                            nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        layers, cin = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64),
                       nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)], 64
        for stage, repeats in enumerate((3, 4, 6, 3)):
            for i in range(repeats):
                layers.append(Bottleneck(cin, 64 << stage, 2 if stage > 0 and i == 0 else 1))
                cin = 256 << stage
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, CLASSES)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return [self.layers(x)]


def make(name):
    torch.manual_seed(0)
    if name == "resnet50":
        return ResNet50()
    if name in ("mobilenetv2", "mobilenetv2+gates"):
        return MobileNetV2("+" in name)
    raise SystemExit(f"network {name}: there are mobilenetv2, mobilenetv2+gates and resnet50")


ALL = ("mobilenetv2", "mobilenetv2+gates", "resnet50")
