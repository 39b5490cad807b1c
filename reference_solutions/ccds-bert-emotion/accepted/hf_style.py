"""BertForSequenceClassification as the library makes it, its own loss, and a rate that warms up and falls."""

import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup


def build_model(model_name="bert-base-uncased", num_labels=6):
    return AutoModelForSequenceClassification.from_pretrained(model_name, num_labels=num_labels)


def tokenize(tokenizer, texts, max_length=64):
    return tokenizer(texts, padding="max_length", truncation=True, max_length=max_length, return_tensors="pt")


@torch.inference_mode()
def cls_embeddings(model, tokenizer, sentences):
    model.eval()
    vectors = []
    for start in range(0, len(sentences), 16):
        batch = tokenize(tokenizer, sentences[start : start + 16])
        hidden = model(**batch, output_hidden_states=True).hidden_states
        vectors.append(hidden[-1][:, 0, :].cpu().numpy())
    return np.concatenate(vectors)


def train(model, train_dataset, num_epochs=3, batch_size=16, learning_rate=2e-5):
    train_loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    steps = num_epochs * len(train_loader)
    scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
    history = []
    for epoch in range(num_epochs):
        model.train()
        total = 0.0
        for input_ids, labels in train_loader:
            outputs = model(input_ids=input_ids, attention_mask=input_ids.ne(0).long(), labels=labels)
            outputs.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            total += outputs.loss.item()
        history.append(total / len(train_loader))
        print(f"epoch {epoch + 1}: {history[-1]:.3f}")
    return history


def classify(model, tokenizer, texts):
    model.eval()
    predicted = []
    with torch.no_grad():
        for text in texts:
            predicted.append(int(model(**tokenize(tokenizer, [text])).logits.argmax(-1)))
    return predicted
