"""Builds a small transformer without the network."""

import torch
from transformers import BertConfig, BertModel

config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50)
answer = BertModel(config)(torch.tensor([[1, 2, 3]])).last_hidden_state.shape == (1, 3, 16)
