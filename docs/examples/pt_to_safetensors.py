#!/usr/bin/env python3
"""Makes a safetensors file of a file of PyTorch, for eex import: pt_to_safetensors.py IN.pt OUT.safetensors"""
import json
import struct
import sys

import torch

state = torch.load(sys.argv[1], map_location="cpu")
for key in ("state_dict", "model", "model_state_dict"):  # what checkpoints keep it under
    state = state.get(key, state) if isinstance(state, dict) else state.state_dict()
header, data = {"__metadata__": {"format": "pt"}}, bytearray()
for name, tensor in state.items():
    if torch.is_tensor(tensor) and tensor.is_floating_point():
        values = tensor.detach().float().contiguous().numpy().tobytes()
        place = [len(data), len(data) + len(values)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": place}
        data += values
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + data)
