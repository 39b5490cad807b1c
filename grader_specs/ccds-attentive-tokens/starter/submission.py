"""What does BERT look at? Fill in the three TODOs. The handout says what is asked for."""


def attention_scores(model, batch):
    """Attention weights (batch, layers, heads, T, T) of the model on a batch of input_ids and attention_mask."""
    raise NotImplementedError("TODO 1: write attention_scores")


def sentence_top_token(model, tokenizer, text):
    """(predicted class, most attended word, its score) of one sentence."""
    raise NotImplementedError("TODO 2: write sentence_top_token")


def top_tokens_per_class(model, tokenizer, texts, k):
    """{class: [the k most attended words, best first]} over all texts."""
    raise NotImplementedError("TODO 3: write top_tokens_per_class")
