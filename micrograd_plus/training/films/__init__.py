"""How does one see a training? As a page that plays its snapshots: answers, weights, loss, and any example's graph."""

from micrograd_plus.training.films.players import Film as Film
from micrograd_plus.training.films.players import film as film
