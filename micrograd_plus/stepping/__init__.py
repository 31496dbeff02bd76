"""What is one step of the backward pass, who gave how much, and how does one walk through it?"""

from micrograd_plus.stepping.ledgers import Entry as Entry
from micrograd_plus.stepping.ledgers import Ledger as Ledger
from micrograd_plus.stepping.passes import Wrong as Wrong
from micrograd_plus.stepping.stepper import Backprop as Backprop
from micrograd_plus.stepping.stepper import backprop as backprop
from micrograd_plus.stepping.steps import Step as Step
