"""The checks of arguments, which raise what the vendor's package raises."""


def check_type(name: str, value: object, kind: type) -> None:
    """Raise TypeError if a value is of another type."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, but got {type(value)}.")


def check_items(name: str, values: object, kind: type) -> None:
    """Raise TypeError if a value is no list, or has an item of another type."""
    check_type(name, values, list)
    for index, value in enumerate(values):
        if not isinstance(value, kind):
            raise TypeError(f"{name} element must be {kind.__name__}, but got {type(value)} at index {index}.")


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError if a value is none of several."""
    if value not in choices:
        raise ValueError(f"{name} must be in {list(choices)}, but got {value}.")
