"""Run by `run_trusted`: trains a small BERT to tell the emotion of a sentence; returns a hub folder's files."""

from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer


def run(arguments, arrays):
    """arguments: texts, classes, words (the vocabulary), place, layers, heads, epochs, seed. arrays: labels (N,)."""
    words, classes, place = arguments["words"], arguments["classes"], arguments["place"]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=64,
        num_hidden_layers=arguments["layers"],
        num_attention_heads=arguments["heads"],
        intermediate_size=128,
        max_position_embeddings=48,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(classes)),
        label2id={name: number for number, name in enumerate(classes)},
        attn_implementation="eager",
    )
    torch.manual_seed(arguments["seed"])
    model = BertForSequenceClassification(config)
    encoded = tokenizer(list(arguments["texts"]), padding=True, return_tensors="pt")
    fit(model, encoded["input_ids"], encoded["attention_mask"], torch.as_tensor(arrays["labels"]), arguments["epochs"])
    model.save_pretrained("made")
    tokenizer.save_pretrained("made")
    return {"files": {f"{place}/{path.name}": path.read_bytes() for path in Path("made").iterdir()}}


def fit(model, ids, mask, labels, epochs):
    """Train with AdamW at 1e-3 on batches of 32, cut to their longest sentence; the rate falls to 0 at the end."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    steps = epochs * -(-len(labels) // 32)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(32):
            length = int(mask[rows].sum(1).max())
            optimizer.zero_grad()
            model(ids[rows, :length], attention_mask=mask[rows, :length], labels=labels[rows]).loss.backward()
            optimizer.step()
            schedule.step()
