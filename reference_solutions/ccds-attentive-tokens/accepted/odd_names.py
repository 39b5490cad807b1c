"""Other names and another order of parameters, dictionaries as answers, numpy for the rest: last layer, columns summed."""

import numpy as np
import torch
from torch.nn.functional import softmax
from transformers.modeling_outputs import SequenceClassifierOutput


class AttentionReader:
    def __init__(self, classifier, tok):
        self.classifier, self.tok = classifier.eval(), tok

    def forward(self, sentences) -> tuple[dict, SequenceClassifierOutput]:
        encoding = self.tok(sentences, padding="longest", return_tensors="pt")
        encoding.pop("token_type_ids", None)
        with torch.inference_mode():
            return encoding, self.classifier(**encoding.to(self.classifier.device), output_attentions=True)

    def words(self, sentences):
        encoding, output = self.forward(sentences)
        mask = encoding["attention_mask"].cpu().numpy().astype(bool)
        squares = output.attentions[-1].mean(dim=1).cpu().numpy()
        classes = softmax(output.logits, dim=-1).argmax(dim=-1).cpu().numpy()
        for ids, real, square, label in zip(encoding["input_ids"].tolist(), mask, squares, classes):
            received = square[real][:, real].sum(axis=0)
            pairs = []
            for number, score in zip(np.array(ids)[real], received):
                piece = self.tok.decode([int(number)]).replace(" ", "")
                if number in self.tok.all_special_ids:
                    continue
                if piece.startswith("##"):
                    pairs[-1] = (pairs[-1][0] + piece[2:], pairs[-1][1] + score)
                else:
                    pairs.append((piece, score))
            yield int(label), pairs, int(real.sum())


def get_attentions(net, inputs):
    net.eval()
    with torch.no_grad():
        layers = net(inputs["input_ids"], attention_mask=inputs["attention_mask"], output_attentions=True).attentions
    return np.stack([layer.numpy(force=True) for layer in layers], axis=1)


def most_important_token(tok, net, sentence):
    ((label, pairs, _),) = AttentionReader(net, tok).words([sentence])
    token, score = max(pairs, key=lambda pair: pair[1])
    return {"predicted_class": net.config.id2label[label], "token": token, "score": score}


def most_attentive_tokens(tok, net, sentences, top_k=10):
    collected = {}
    for label, pairs, length in AttentionReader(net, tok).words(list(sentences)):
        for token, score in pairs:
            collected.setdefault(label, {}).setdefault(token, []).append(score / length)
    return {
        label: [(token, float(np.mean(found[token]))) for token in sorted(found, key=lambda t: -np.mean(found[t]))][:top_k]
        for label, found in collected.items()
    }
