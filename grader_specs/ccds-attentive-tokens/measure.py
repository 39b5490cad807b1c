"""Run by `run_trusted`: what a model attends to, by every documented way of adding attention up, and by wrong ones.

Attention of one sentence: (layers, heads, T, T). A way has four choices: layers (last, mean, rollout), direction
(cls row, column mean), pieces of a word (sum, max), occurrences of a word in a class (mean, sum).
"""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

LAYERS, DIRECTIONS, PIECES, CLASSES = ("last", "mean", "rollout"), ("cls", "column"), ("sum", "max"), ("mean", "sum")
ADD = {
    "sum": sum,
    "max": max,
    "mean": lambda scores: sum(scores) / len(scores),
    "apart": sum,
    "first": lambda scores: scores[0],
    "last": lambda scores: scores[-1],
    "count": len,
}
WRONG_PIECES = {
    "mean": "the mean of a word's pieces, not their sum or the largest",
    "first": "the score of a word's first piece alone",
    "last": "the score of a word's last piece alone",
    "apart": "the pieces of a word (##…) are not put together",
}
ONCE = "a word that stands twice in a sentence is counted once, not twice"
WRONG_TOGETHER = {
    "max": "the largest score that a word ever has, not the mean or sum of all",
    "first": "the first score of a word alone, not the mean or sum of all",
    "last": "the last score of a word alone (it replaces those before), not the mean or sum of all",
}
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
    scores = {}
    for name, square in squares_of(layers.mean(1)).items():
        scores[name, "cls"], scores[name, "column"] = square[0].tolist(), square.mean(0).tolist()
    wrong = {key: row.tolist() for key, row in wrong_scores(layers).items()}
    label = int(out.logits[0].argmax())
    return {
        "text": text,
        "label": label,
        "share": float(out.logits[0].softmax(0)[label]),
        "tokens": tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist()),
        "scores": scores,
        "wrong": wrong,
    }


def squares_of(heads):
    """{layers: (T, T)} of attention (layers, T, T) whose heads are averaged."""
    return {"last": heads[-1], "mean": heads.mean(0), "rollout": rolled(heads)}


def rolled(heads, own=0.5, others=0.5, order=1):
    """Attention rollout, or one with other shares of the identity, or (order -1) with the factors in reverse."""
    eye = torch.eye(heads.shape[-1])
    done = eye
    for layer in heads:
        mixed = others * layer + own * eye
        done = mixed @ done if order == 1 else done @ mixed
    return done


def wrong_scores(layers):
    """{(what is wrong, of which attention): a score for every token} of attention (layers, heads, T, T)."""
    heads, found = layers.mean(1), {}
    squares = {
        ("the attention of the first layer", "first"): heads[0],
        ("the layers are multiplied in reverse order; each new one belongs on the left", "rollout"): rolled(
            heads, order=-1
        ),
        ("rollout without the identity", "rollout"): rolled(heads, own=0.0, others=1.0),
        ("rollout without the two halves", "rollout"): rolled(heads, own=1.0, others=1.0),
        ("one head alone", "last, first head"): layers[-1, 0],
        ("one head alone", "last, last head"): layers[-1, -1],
        ("the largest of the heads, not their mean", "last"): layers[-1].amax(0),
        ("the largest of the heads, not their mean", "mean"): layers.amax(1).mean(0),
        ("the sum of the heads, not their mean", "last"): layers[-1].sum(0),
        ("the sum of the heads, not their mean", "mean"): layers.sum(1).mean(0),
        ("the sum of the layers, not their mean", "mean"): heads.sum(0),
        ("the largest of the layers, not their mean", "mean"): heads.amax(0),
    }
    for (name, of), square in squares.items():
        found[name, f"{of}, cls"], found[name, f"{of}, column"] = square[0], square.mean(0)
    for of, square in squares_of(heads).items():
        found["how much each token looks at [CLS], not how much [CLS] looks at it", of] = square[:, 0]
        found["sums of columns, which grow with the sentence, not their mean", of] = square.sum(0)
        found["the mean of the columns without the rows of [CLS] and [SEP]; they look, too", of] = square[1:-1].mean(0)
        found["the row of [SEP], not that of [CLS]", of] = square[-1]
        found["how much each token looks at itself", of] = square.diagonal()
        for direction, row in (("cls", square[0]), ("column", square.mean(0))):
            kept = "scores that are rescaled to a sum of 1 after special tokens are left out"
            found[kept, f"{of}, {direction}"] = row / row[1:-1].sum()
    found["sums of rows, which are all 1", "last"] = heads[-1].sum(1)
    return found


def words_of(seen, scores, pieces):
    """Pairs (word, score), without special tokens and with pieces put together, or, wrongly, "apart"."""
    found = []
    for token, score in zip(seen["tokens"], scores, strict=True):
        if token.startswith("##") and pieces != "apart":
            word, parts = found[-1]
            found[-1] = (word + token[2:], [*parts, score])
        elif token not in SPECIAL:
            found.append((token.removeprefix("##"), [score]))
    return [(word, ADD[pieces](parts)) for word, parts in found]


def sentence(seen):
    """{"label", "length", "ways": {way: best}, "mistakes": {mistake: best}}; best as in `leaders`."""
    ways = {}
    for (layers, direction), scores in seen["scores"].items():
        for pieces in PIECES:
            ways[f"{layers}, {direction}, {pieces}"] = leaders(words_of(seen, scores, pieces))
    wrong = {}
    for (name, of), scores in seen["wrong"].items():
        for pieces in PIECES:
            wrong[f"{name} ({of}, {pieces})"] = leaders(words_of(seen, scores, pieces))
    for (layers, direction), scores in seen["scores"].items():
        for pieces, name in WRONG_PIECES.items():
            wrong[f"{name} ({layers}, {direction})"] = leaders(words_of(seen, scores, pieces))
        for pieces in PIECES:
            least = [(word, -score) for word, score in words_of(seen, scores, pieces)]
            name = f"the word with the least attention ({layers}, {direction}, {pieces})"
            wrong[name] = [(word, -score) for word, score in leaders(least)]
    return {"label": seen["label"], "length": len(seen["tokens"]), "ways": ways, "mistakes": wrong}


def leaders(pairs):
    """[(word, score)] of those that are within 1e-4 of the best."""
    best = max(score for _, score in pairs)
    return [pair for pair in pairs if pair[1] >= best - 1e-4]


def rank(groups, together, sign=1):
    """{class: words, best first} of {class: [(word, score)]}; sign -1: worst first."""
    ranked = {}
    for label, pairs in groups.items():
        by_word = {}
        for word, score in pairs:
            by_word.setdefault(word, []).append(score)
        sizes = {word: sign * ADD[together](scores) for word, scores in by_word.items()}
        ranked[str(label)] = sorted(by_word, key=lambda word: (-sizes[word], word))[:20]
    return ranked


def once(pairs, within):
    """One pair for each word of a sentence."""
    by_word = {}
    for word, score in pairs:
        by_word.setdefault(word, []).append(score)
    return [(word, ADD[within](scores)) for word, scores in by_word.items()]


def grouped(seen, scores, pieces, classes, label=None, within=None):
    """{class: [(word, score)]} over all sentences.

    scores(sentence): one for each token. label(number, sentence): its class, by default the model's. within: how the
    scores of a word become one for each sentence, by default not at all.
    """
    groups = {number: [] for number in range(classes)}
    for number, one in enumerate(seen):
        pairs = words_of(one, scores(one), pieces)
        groups[one["label"] if label is None else label(number, one)] += once(pairs, within) if within else pairs
    return groups


def every_way():
    """(name, scores, pieces) of every documented way up to the single word."""
    for layers in LAYERS:
        for direction in DIRECTIONS:
            for pieces in PIECES:
                key = (layers, direction)
                yield f"{layers}, {direction}, {pieces}", lambda one, key=key: one["scores"][key], pieces


def rankings(seen, classes):
    """{way: {class: words}} for every documented way."""
    return {
        f"{name}, {together}": rank(grouped(seen, scores, pieces, classes), together)
        for name, scores, pieces in every_way()
        for together in CLASSES
    }


def mistakes(seen, classes):
    """{what is wrong: {class: words}}."""
    found = {}
    for name, scores, pieces in every_way():
        right = grouped(seen, scores, pieces, classes)
        found["words are counted, their attention is not used"] = rank(right, "count")
        for together, what in WRONG_TOGETHER.items():
            found[f"{what} ({name})"] = rank(right, together)
        by_order = grouped(seen, scores, pieces, classes, lambda number, _one: number % classes)
        every = {label: [pair for pairs in right.values() for pair in pairs] for label in right}
        for together in CLASSES:
            way = f"({name}, {together})"
            found[f"one list of words for all classes {way}"] = rank(every, together)
            found[f"classes by the order of the texts, not predicted {way}"] = rank(by_order, together)
            found[f"the words with the least attention come first {way}"] = rank(right, together, sign=-1)
        for within, together in (*((w, t) for w in ("last", "first", "max") for t in CLASSES), ("sum", "mean")):
            few = grouped(seen, scores, pieces, classes, within=within)
            found[f"{ONCE} ({name}, {together}; of each sentence: {within})"] = rank(few, together)
    for name, of in seen[0]["wrong"]:
        for pieces in PIECES:
            wrong = grouped(seen, lambda one, key=(name, of): one["wrong"][key], pieces, classes)
            for together in CLASSES:
                found[f"{name} ({of}, {pieces}, {together})"] = rank(wrong, together)
    for layers, direction in seen[0]["scores"]:
        for pieces, name in WRONG_PIECES.items():
            wrong = grouped(seen, lambda one, key=(layers, direction): one["scores"][key], pieces, classes)
            for together in CLASSES:
                found[f"{name} ({layers}, {direction}, {together})"] = rank(wrong, together)
    return found


def effects(model, tokenizer, seen):
    """{class: {word: mean fall of the predicted class's probability where the word is masked wherever it stands}}."""
    found = {}
    for one in seen:
        words = one["text"].split()
        masked = [" ".join("[MASK]" if other == word else other for other in words) for word in words]
        batch = tokenizer(masked, padding=True, return_tensors="pt")
        logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        for word, share in zip(words, torch.softmax(logits, 1)[:, one["label"]].tolist(), strict=True):
            found.setdefault(str(one["label"]), {}).setdefault(word, []).append(one["share"] - share)
    return {label: {word: sum(v) / len(v) for word, v in words.items()} for label, words in found.items()}
