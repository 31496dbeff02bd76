"""The colours of the site: those of the pictures, under Material's own names."""

from micrograd_plus.pictures.form import DARK, LIGHT, MONO, SANS, Theme


def tokens() -> str:
    """A style sheet with the colours of form.py as variables, for light and dark."""
    return "".join(
        [_scheme("default", LIGHT), _scheme("slate", DARK), f":root {{ --sans: {SANS}; --mono: {MONO}; }}\n"]
    )


def _scheme(name: str, theme: Theme) -> str:
    variables = "; ".join([f"--{each}: {colour}" for each, colour in theme._asdict().items()])
    return f"[data-md-color-scheme={name}] {{ {variables}; }}\n"
