"""Run by `run_trusted`: what a model attends to, by every documented way of adding attention up, and by wrong ones.

Attention of one sentence: (layers, heads, T, T). A way has four choices: layers (last, mean, rollout), direction
(cls row, column mean), pieces of a word (sum, max), occurrences of a word in a class (mean, sum).
"""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

LAYERS, DIRECTIONS, PIECES, CLASSES = ("last", "mean", "rollout"), ("cls", "column"), ("sum", "max"), ("mean", "sum")
SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]")


def run(arguments, _arrays):
    """arguments: model (folder), batches {name: texts}, sentences (texts), texts {name: texts}."""
    folder = arguments["model"]
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    made, facts = {}, {"sentences": [], "rankings": {}, "mistakes": {}, "effects": {}}
    with torch.no_grad():
        for name, texts in arguments["batches"].items():
            batch = tokenizer(texts, padding=True, return_tensors="pt")
            given = {key: batch[key] for key in ("input_ids", "attention_mask")}
            attention = torch.stack(model(**given, output_attentions=True).attentions, dim=1)
            made |= {f"{name}_ids": given["input_ids"], f"{name}_mask": given["attention_mask"]}
            made[f"{name}_attention"] = attention
        facts["sentences"] = [sentence(look(model, tokenizer, text)) for text in arguments["sentences"]]
        for name, texts in arguments["texts"].items():
            seen = [look(model, tokenizer, text) for text in texts]
            facts["rankings"][name] = rankings(seen, model.config.num_labels)
            facts["mistakes"][name] = mistakes(seen, model.config.num_labels)
            facts["effects"][name] = effects(model, tokenizer, seen)
    return {"arrays": made, "facts": facts}


def look(model, tokenizer, text):
    """Predicted class, its probability, tokens, and the scores of every token by (layers, direction)."""
    batch = tokenizer(text, return_tensors="pt")
    out = model(batch["input_ids"], attention_mask=batch["attention_mask"], output_attentions=True)
    layers = torch.stack(out.attentions, dim=1)[0]
    heads = layers.mean(1)
    eye = torch.eye(heads.shape[-1])
    rollout = eye
    for layer in heads:
        rollout = (0.5 * layer + 0.5 * eye) @ rollout
    squares = {"last": heads[-1], "mean": heads.mean(0), "rollout": rollout}
    scores = {}
    for name, square in squares.items():
        scores[name, "cls"], scores[name, "column"] = square[0].tolist(), square.mean(0).tolist()
    scores["first", "cls"] = heads[0][0].tolist()
    scores["last", "to cls"] = heads[-1][:, 0].tolist()
    scores["one head", "cls"] = layers[-1, 0, 0].tolist()
    scores["row sums", "cls"] = heads[-1].sum(1).tolist()
    label = int(out.logits[0].argmax())
    return {
        "text": text,
        "label": label,
        "share": float(out.logits[0].softmax(0)[label]),
        "tokens": tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist()),
        "scores": scores,
    }


def words_of(seen, scores, pieces):
    """Pairs (word, score), without special tokens and with pieces put together."""
    found = []
    for token, score in zip(seen["tokens"], scores, strict=True):
        if token.startswith("##"):
            word, parts = found[-1]
            found[-1] = (word + token[2:], [*parts, score])
        elif token not in SPECIAL:
            found.append((token, [score]))
    return [(word, (sum if pieces == "sum" else max)(parts)) for word, parts in found]


def sentence(seen):
    """{"label", "length", "ways": {way: [[word, score], …] of those that are within 1e-4 of the best}}."""
    ways = {}
    for layers in LAYERS:
        for direction in DIRECTIONS:
            for pieces in PIECES:
                pairs = words_of(seen, seen["scores"][layers, direction], pieces)
                best = max(score for _, score in pairs)
                ways[f"{layers}, {direction}, {pieces}"] = [pair for pair in pairs if pair[1] >= best - 1e-4]
    return {"label": seen["label"], "length": len(seen["tokens"]), "ways": ways}


def rank(groups, together):
    """{class: words, best first} of {class: [(word, score)]}."""
    ranked = {}
    for label, pairs in groups.items():
        by_word = {}
        for word, score in pairs:
            by_word.setdefault(word, []).append(score)
        add = {"mean": lambda s: sum(s) / len(s), "sum": sum, "count": len}[together]
        ranked[str(label)] = sorted(by_word, key=lambda word: (-add(by_word[word]), word))[:20]
    return ranked


def grouped(seen, key, pieces, classes, label=None):
    """{class: [(word, score)]} over all sentences; label(number, sentence): its class, by default the model's."""
    groups = {number: [] for number in range(classes)}
    for number, one in enumerate(seen):
        groups[one["label"] if label is None else label(number, one)] += words_of(one, one["scores"][key], pieces)
    return groups


def rankings(seen, classes):
    """{way: {class: words}} for every documented way."""
    return {
        f"{layers}, {direction}, {pieces}, {together}": rank(
            grouped(seen, (layers, direction), pieces, classes), together
        )
        for layers in LAYERS
        for direction in DIRECTIONS
        for pieces in PIECES
        for together in CLASSES
    }


def mistakes(seen, classes):
    """{what is wrong: {class: words}}."""
    groups = grouped(seen, ("last", "cls"), "sum", classes)
    found = {"words are counted, their attention is not used": rank(groups, "count")}
    wrong = {
        "the attention of the first layer": ("first", "cls"),
        "how much each token looks at [CLS], not how much [CLS] looks at it": ("last", "to cls"),
        "one head alone": ("one head", "cls"),
        "sums of rows, which are all 1": ("row sums", "cls"),
    }
    for name, key in wrong.items():
        for together in CLASSES:
            found[f"{name} ({together})"] = rank(grouped(seen, key, "sum", classes), together)
    for together in CLASSES:
        by_order = grouped(seen, ("last", "cls"), "sum", classes, lambda number, _one: number % classes)
        found[f"classes by the order of the texts, not predicted ({together})"] = rank(by_order, together)
    return found


def effects(model, tokenizer, seen):
    """{class: {word: mean fall of the predicted class's probability where the word is masked}}."""
    found = {}
    for one in seen:
        words = one["text"].split()
        masked = [" ".join([*words[:i], "[MASK]", *words[i + 1 :]]) for i in range(len(words))]
        batch = tokenizer(masked, padding=True, return_tensors="pt")
        logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        for word, share in zip(words, torch.softmax(logits, 1)[:, one["label"]].tolist(), strict=True):
            found.setdefault(str(one["label"]), {}).setdefault(word, []).append(one["share"] - share)
    return {label: {word: sum(v) / len(v) for word, v in words.items()} for label, words in found.items()}
