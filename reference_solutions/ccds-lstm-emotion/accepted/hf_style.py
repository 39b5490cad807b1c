"""Written like a model of the transformers library: a config, input_ids and attention_mask, an output object."""
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn as nn


@dataclass
class LSTMConfig:
    vocab_size: int
    num_labels: int
    pad_token_id: int = 0
    hidden_size: int = 64
    one_hot: bool = False


@dataclass
class ClassifierOutput:
    logits: torch.Tensor
    loss: Optional[torch.Tensor] = None


class LSTMForSequenceClassification(nn.Module):
    def __init__(self, config: LSTMConfig):
        super().__init__()
        self.config = config
        width = config.vocab_size if config.one_hot else config.hidden_size
        if not config.one_hot:
            self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.encoder = nn.LSTM(width, config.hidden_size, batch_first=True)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids, attention_mask=None, labels=None):
        if attention_mask is None:
            attention_mask = (input_ids != self.config.pad_token_id).long()
        if self.config.one_hot:
            x = nn.functional.one_hot(input_ids, self.config.vocab_size).to(torch.float32)
        else:
            x = self.word_embeddings(input_ids)
        states, _ = self.encoder(x)
        last = attention_mask.sum(1).sub(1).clamp(min=0)
        pooled = states.gather(1, last[:, None, None].expand(-1, 1, states.size(-1))).squeeze(1)
        logits = self.classifier(pooled)
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return ClassifierOutput(logits=logits, loss=loss)


def build_text_model(vocab_size, num_classes, pad_idx=0):
    return LSTMForSequenceClassification(LSTMConfig(vocab_size, num_classes, pad_idx))


def build_onehot_model(vocab_size, num_classes, pad_idx=0):
    return LSTMForSequenceClassification(LSTMConfig(vocab_size, num_classes, pad_idx, one_hot=True))
