"""Train a GRU on the pitches of some MIDI files, then write MIDI files and the loss on the last piece."""

import argparse
import json
from pathlib import Path

import pretty_midi
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--hidden", type=int, default=32)
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--checkpoint", type=Path)
args = parser.parse_args()


def pitches(path):
    notes = [note for track in pretty_midi.PrettyMIDI(str(path)).instruments for note in track.notes]
    return torch.tensor([note.pitch for note in sorted(notes, key=lambda note: (note.start, note.pitch))])


*pieces, held_out = [pitches(path) for path in sorted((Path(__file__).parent / "pieces").glob("*.mid"))]
torch.manual_seed(args.seed)
embed, gru = torch.nn.Embedding(128, args.hidden), torch.nn.GRU(args.hidden, args.hidden, batch_first=True)
model = torch.nn.ModuleList([embed, gru, torch.nn.Linear(args.hidden, 128)])
optimizer = torch.optim.Adam(model.parameters(), args.lr)


def loss_of(rows):
    logits = model[2](gru(embed(rows[:, :-1]))[0])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


first, saved = 0, args.checkpoint and args.checkpoint / "last.pt"
if saved and saved.exists():
    first, weights, state = torch.load(saved)
    model.load_state_dict(weights), optimizer.load_state_dict(state)
for step in range(first, args.steps):
    if saved and step % 20 == 0:
        torch.save((step, model.state_dict(), optimizer.state_dict()), saved.with_suffix(".new"))
        saved.with_suffix(".new").replace(saved)
    torch.manual_seed(args.seed + step)  # so that a resumed training draws the same windows
    starts = [(piece, int(torch.randint(len(piece) - 33, ()))) for piece in pieces for _ in range(4)]
    loss = loss_of(torch.stack([piece[start : start + 33] for piece, start in starts]))
    optimizer.zero_grad(), loss.backward(), optimizer.step()
    print(f"step {step}: loss {loss.item():.3f}")
torch.manual_seed(args.seed)
for sample in range(2):
    track, pitch, state = pretty_midi.Instrument(0), torch.tensor([[60]]), None
    for index in range(64):
        output, state = gru(embed(pitch), state)
        pitch = torch.multinomial(model[2](output[:, -1]).softmax(-1), 1)
        track.notes.append(pretty_midi.Note(80, int(pitch), 0.2 * index, 0.2 * index + 0.2))
    music = pretty_midi.PrettyMIDI()
    music.instruments.append(track)
    music.write(str(args.out / f"{sample}.mid"))
(args.out / "metrics.json").write_text(json.dumps({"loss": loss_of(held_out[None]).item()}))
