"""How does one see a backward pass? As a page with buttons, as a film, in a notebook: one file for any browser."""

from micrograd_plus.stepping.page.documents import LIMIT as LIMIT
from micrograd_plus.stepping.page.documents import html as html
from micrograd_plus.stepping.page.documents import in_notebook as in_notebook
from micrograd_plus.stepping.page.documents import save as save
from micrograd_plus.stepping.page.films import film as film
