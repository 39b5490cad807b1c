"""Run by `run_trusted`: token ids of texts, and what a BERT makes of texts, done right and in ways that are wrong."""

import torch
from transformers import AutoModel, AutoTokenizer


def run(arguments, _arrays):
    """arguments: model (folder), rows and encoded {name: [texts, length at most]}, vectors {name: texts}.

    Returns arrays `rows_NAME` (N, length), facts `encoded` {name: ids of each text}, and arrays `NAME_WAY` (N, H).
    """
    tokenizer = AutoTokenizer.from_pretrained(arguments["model"])
    model = AutoModel.from_pretrained(arguments["model"]).eval()
    arrays = {
        f"rows_{name}": tokenizer(
            texts, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        ).input_ids
        for name, (texts, length) in arguments["rows"].items()
    }
    encoded = {
        name: tokenizer(texts, truncation=True, max_length=length)["input_ids"]
        for name, (texts, length) in arguments["encoded"].items()
    }
    with torch.no_grad():
        for name, texts in arguments["vectors"].items():
            arrays |= {f"{name}_{way}": vectors for way, vectors in ways(model, tokenizer, texts).items()}
    return {"arrays": arrays, "facts": {"encoded": encoded}}


def ways(model, tokenizer, texts):
    """{way: vectors (N, H)}: `right` is the last layer's state of [CLS]."""
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    bare = tokenizer(texts, padding=True, add_special_tokens=False, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    out = model(ids, attention_mask=mask, output_hidden_states=True)
    states = out.last_hidden_state
    rows, last = torch.arange(len(ids)), mask.sum(1) - 1
    return {
        "right": states[:, 0],
        "no_mask": model(ids).last_hidden_state[:, 0],
        "types": model(ids, attention_mask=mask, token_type_ids=torch.ones_like(ids)).last_hidden_state[:, 0],
        "types_and_mask": model(ids, attention_mask=0 * mask, token_type_ids=mask).last_hidden_state[:, 0],
        "no_specials": model(bare["input_ids"], attention_mask=bare["attention_mask"]).last_hidden_state[:, 0],
        "pooled": out.pooler_output,
        "mean": (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True),
        "mean_with_padding": states.mean(1),
        "last_token": states[rows, last],
        "last_place": states[:, -1],
        "layer_before": out.hidden_states[-2][:, 0],
        "embedding": out.hidden_states[0][:, 0],
    }
