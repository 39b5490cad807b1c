"""Written like a model of the transformers library: a config, input_ids and attention_mask, an output object."""
from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch
import torch.nn as nn


@dataclass
class EmotionConfig:
    vocab_size: int
    num_labels: int
    pad_token_id: int = 0
    embedding_size: int = 32
    hidden_size: int = 64


@dataclass
class ClassifierOutput:
    logits: torch.Tensor
    loss: Optional[torch.Tensor] = None


class WordVectors:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            count, self.dim = map(int, f.readline().split())
            self.table = {}
            for _ in range(count):
                parts = f.readline().split()
                self.table[parts[0]] = np.asarray(parts[1:], dtype=np.float32)
        self.mean = np.mean(list(self.table.values()), axis=0)

    def __getitem__(self, word):
        for spelling in (word, word.lower()):
            if spelling in self.table:
                return self.table[spelling]
        return self.mean  # nothing is known of it: the average word


def embedding_matrix(vocab, path):
    vectors = WordVectors(path)
    by_number = sorted(vocab, key=vocab.get)
    matrix = np.stack([np.zeros(vectors.dim, np.float32) if w == "<pad>" else vectors[w] for w in by_number])
    return torch.tensor(matrix)


class LSTMForSequenceClassification(nn.Module):
    def __init__(self, config: EmotionConfig):
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.encoder = nn.LSTM(config.embedding_size, config.hidden_size, batch_first=True)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def set_input_embeddings(self, weights, trainable):
        self.word_embeddings.weight = nn.Parameter(weights.float().clone(), requires_grad=trainable)

    def forward(self, input_ids, attention_mask=None, labels=None):
        if attention_mask is None:
            attention_mask = (input_ids != self.config.pad_token_id).long()
        states, _ = self.encoder(self.word_embeddings(input_ids))
        last = attention_mask.sum(1).sub(1).clamp(min=0)
        pooled = states.gather(1, last[:, None, None].expand(-1, 1, states.size(-1))).squeeze(1)
        logits = self.classifier(pooled)
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return ClassifierOutput(logits=logits, loss=loss)


def build_text_model(vocab_size, num_classes, pad_idx=0, embeddings=None, freeze=False):
    config = EmotionConfig(vocab_size, num_classes, pad_idx)
    if embeddings is not None:
        config.embedding_size = embeddings.shape[1]
    model = LSTMForSequenceClassification(config)
    if embeddings is not None:
        model.set_input_embeddings(embeddings, trainable=not freeze)
    return model


def compare(targets, predictions):
    results = {}
    for name, predicted in predictions.items():
        f1_scores = []
        for label in np.unique(targets):
            tp = np.sum((predicted == label) & (targets == label))
            fp = np.sum((predicted == label) & (targets != label))
            fn = np.sum((predicted != label) & (targets == label))
            f1_scores.append(2 * tp / (2 * tp + fp + fn))
        results[name] = {"f1": np.mean(f1_scores), "accuracy": np.mean(predicted == targets)}
    return results
