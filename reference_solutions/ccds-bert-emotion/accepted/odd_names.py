"""Other names and another order of parameters, the pooler before the head, a training step of its own."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import BertConfig, BertModel


class Sequences(Dataset):
    """Dictionaries in place of pairs."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, place):
        tokens, label = self.pairs[place]
        return {"tokens": tokens, "attention": (tokens > 0).long(), "label": label}


class FeelingClassifier(nn.Module):
    def __init__(self, n_labels, checkpoint):
        super().__init__()
        config = BertConfig.from_pretrained(checkpoint)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(config.hidden_size, 32), nn.Tanh(), nn.Linear(32, n_labels))
        self.encoder = BertModel.from_pretrained(checkpoint, config=config)

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return self.head(output.pooler_output)


def get_model(num_labels, model_path):
    return FeelingClassifier(num_labels, model_path)


def encode_texts(sentences, tok, max_len=48):
    encoding = tok.batch_encode_plus(sentences, padding="longest", truncation=True, max_length=max_len) if hasattr(
        tok, "batch_encode_plus"
    ) else tok(sentences, padding="longest", truncation=True, max_length=max_len)
    return {name: torch.tensor(encoding[name]) for name in ("input_ids", "attention_mask", "token_type_ids")}


def sentence_embeddings(sentences, net, tok):
    net.eval()
    found = []
    with torch.no_grad():
        for sentence in sentences:
            found.append(net.encoder(**encode_texts([sentence], tok)).last_hidden_state[0, 0])
    return torch.stack(found)


def step(net, batch, optimiser):
    optimiser.zero_grad(set_to_none=True)
    loss = nn.CrossEntropyLoss()(net(batch["tokens"], batch["attention"]), batch["label"])
    loss.backward()
    optimiser.step()
    return loss.item()


def finetune(net, dataset, bs, n_epochs, lr):
    net.train()
    optimiser = torch.optim.AdamW(
        [{"params": net.encoder.parameters(), "lr": lr}, {"params": net.head.parameters(), "lr": 2 * lr}]
    )
    losses = []
    for _ in range(n_epochs):
        losses += [step(net, batch, optimiser) for batch in DataLoader(Sequences(dataset), bs, shuffle=True)]
    return net, losses


def predict_emotions(sentences, net, tok):
    names = ["sadness", "anger", "love", "surprise", "fear", "joy"]
    net.eval()
    with torch.no_grad():
        encoded = encode_texts(list(sentences), tok)
        best = net(encoded["input_ids"], encoded["attention_mask"]).argmax(dim=-1)
    return [names[number] for number in best]
