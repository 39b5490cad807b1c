"""Bug: the loop of fine_tune gives CrossEntropyLoss probabilities."""

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import BertModel

PAD = 0


class EmotionBert(nn.Module):
    """(N, T) token ids to (N, num_classes) logits."""

    def __init__(self, path, num_classes):
        super().__init__()
        self.bert = BertModel.from_pretrained(path)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(self.bert.config.hidden_size, num_classes)

    def states(self, input_ids, attention_mask):
        """The last layer's state of [CLS], (N, H)."""
        return self.bert(input_ids, attention_mask=attention_mask).last_hidden_state[:, 0]

    def forward(self, input_ids, attention_mask=None):
        if attention_mask is None:
            attention_mask = (input_ids != PAD).long()
        return self.classifier(self.dropout(self.states(input_ids, attention_mask)))


def build_model(path, num_classes):
    return EmotionBert(path, num_classes)


def encode(tokenizer, texts, max_length=64):
    """Token ids and mask, padded to the longest text and cut to max_length."""
    encoded = tokenizer(list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt")
    return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}


def sentence_vectors(model, tokenizer, texts):
    model.eval()
    with torch.no_grad():
        return model.states(**encode(tokenizer, texts))


def fine_tune(model, train_set, epochs, batch_size, lr):
    """Train every weight on pairs of token ids and label."""
    loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        for input_ids, labels in loader:
            optimizer.zero_grad()
            logits = model(input_ids, attention_mask=(input_ids != PAD).long())
            loss = criterion(logits.softmax(dim=1), labels)
            loss.backward()
            optimizer.step()
    return model


def predict(model, tokenizer, texts):
    model.eval()
    with torch.no_grad():
        return model(**encode(tokenizer, texts)).argmax(dim=1)
