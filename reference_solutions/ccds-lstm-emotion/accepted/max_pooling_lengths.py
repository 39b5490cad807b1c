# Emotion recognition with a bidirectional LSTM and masked max pooling; sequence lengths come in from outside
import torch
from torch import nn
from torch.nn.utils import rnn


class BiLSTM(nn.Module):
    def __init__(self, inputs, hidden_dim, output_dim, drop):
        super(BiLSTM, self).__init__()
        self.lstm = nn.LSTM(inputs, hidden_dim, num_layers=1, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(drop)
        self.fc = nn.Linear(2 * hidden_dim, output_dim)

    def forward(self, x, lengths):
        total = x.size(1)
        packed = rnn.pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        out, _ = rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=total)
        positions = torch.arange(total, device=x.device)[None, :, None]
        out = out.masked_fill(positions >= lengths[:, None, None], float("-inf")).max(dim=1).values
        return self.fc(self.dropout(out))


class EmotionLSTM(nn.Module):
    def __init__(self, num_words, num_labels, padding_idx=0):
        super().__init__()
        self.embed = nn.Embedding(num_words, 64, padding_idx=padding_idx)
        self.classifier = BiLSTM(64, 48, num_labels, drop=0.2)

    def forward(self, text, text_lengths):
        return self.classifier(self.embed(text), text_lengths)


class OneHotEmotionLSTM(nn.Module):
    def __init__(self, num_words, num_labels, padding_idx=0):
        super().__init__()
        self.num_words = num_words
        self.classifier = BiLSTM(num_words, 48, num_labels, drop=0.2)

    def forward(self, text, text_lengths):
        eye = torch.eye(self.num_words, device=text.device)
        return self.classifier(eye[text], text_lengths)


def build_text_model(num_classes, vocab_size, pad_idx=0):
    return EmotionLSTM(vocab_size, num_classes, pad_idx)


def build_onehot_model(num_classes, vocab_size, pad_idx=0):
    return OneHotEmotionLSTM(vocab_size, num_classes, pad_idx)
