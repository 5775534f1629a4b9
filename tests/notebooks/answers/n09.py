"""Right and wrong answers to the exercises of notebook 09."""

DIAGNOSIS = {"V": "rate too low", "W": "overfitting", "X": "wrong labels", "Y": "healthy", "Z": "rate too high"}


def stop(losses, patience, *, equal_is_better=False, from_one=1):
    best, kept, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(losses, start=from_one):
        if loss < best or (equal_is_better and loss == best):
            best, kept, waited = loss, epoch, 0
        else:
            waited += 1
        if waited == patience:
            break
    return epoch, kept


def that_looks_ahead(losses, patience):
    best = min(range(len(losses)), key=losses.__getitem__) + 1
    return min(best + patience, len(losses)), best


RIGHT = {"09-2": [DIAGNOSIS], "09-3": [stop]}
WRONG = {
    "09-2": [
        DIAGNOSIS | {"V": "healthy"},
        DIAGNOSIS | {"W": "wrong labels", "X": "overfitting"},
        DIAGNOSIS | {"Z": "dead"},
        {"V": "rate too low"},
    ],
    "09-3": [
        that_looks_ahead,
        lambda losses, patience: stop(losses, patience, from_one=0),
        lambda losses, patience: stop(losses, patience, equal_is_better=True),
        lambda losses, patience: stop(losses, patience + 1),
        lambda losses, patience: stop(losses, patience)[1],
    ],
}
