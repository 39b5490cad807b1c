"""Run by `run_trusted`: pre-trains a small BERT; returns the files of a folder in the hub's layout.

Two tasks at once: which words are masked, and, read from the pooled [CLS], what a sentence is about. Few of its
sentences name two feelings, so that it knows the words well and their order hardly: that is left to fine-tuning.
"""

from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForPreTraining, BertTokenizer

BATCH, RATE, MASKED = 32, 1e-3, 0.15
NONE = -100  # a label that cross entropy leaves out


def run(arguments, arrays):
    """arguments: texts, words (the vocabulary), width, layers, heads, epochs (or 0), seed, times (as large the last
    states are made; default 1). arrays: topics (N,)."""
    words, width = arguments["words"], arguments["width"]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=width,
        num_hidden_layers=arguments["layers"],
        num_attention_heads=arguments["heads"],
        intermediate_size=2 * width,
        max_position_embeddings=64,
        initializer_range=0.05,
    )
    torch.manual_seed(arguments["seed"])
    model = BertForPreTraining(config)
    facts = {}
    if arguments["epochs"]:
        encoded = tokenizer(arguments["texts"], padding=True, return_tensors="pt")
        topics = torch.as_tensor(arrays["topics"])
        facts = fit(model, encoded["input_ids"], encoded["attention_mask"], topics, arguments["epochs"])
    with torch.no_grad():
        for parameter in model.bert.encoder.layer[-1].output.LayerNorm.parameters():
            parameter.mul_(arguments.get("times", 1))
    model.save_pretrained("made")
    tokenizer.save_pretrained("made")
    Path("made/vocab.txt").write_text("\n".join(words) + "\n")
    return {"files": {path.name: path.read_bytes() for path in sorted(Path("made").iterdir())}, "facts": facts}


def fit(model, ids, mask, topics, epochs):
    """AdamW with warm-up and a rate that falls to 0, on batches cut to their longest sentence."""
    head = torch.nn.Linear(model.config.hidden_size, int(topics.max()) + 1)
    weights = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=RATE)
    steps = epochs * -(-len(topics) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    right = 0
    model.train()
    for _ in range(epochs):
        right = 0
        for rows in torch.randperm(len(topics)).split(BATCH):
            length = int(mask[rows].sum(1).max())
            given, hidden = masked(ids[rows, :length], 4)
            out = model(given, attention_mask=mask[rows, :length], output_hidden_states=True)
            scores = head(model.bert.pooler(out.hidden_states[-1]))
            loss = cross_entropy(out.prediction_logits.transpose(1, 2), hidden, ignore_index=NONE)
            loss = loss + cross_entropy(scores, topics[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            right += int((scores.argmax(1) == topics[rows]).sum())
    return {"topics_right": right / len(topics)}


def masked(ids, mask_id):
    """Token ids with some of them masked, and what stood there (NONE elsewhere). Special tokens come before mask_id."""
    chosen = (torch.rand(ids.shape) < MASKED) & (ids > mask_id)
    return ids.masked_fill(chosen, mask_id), ids.masked_fill(~chosen, NONE)
