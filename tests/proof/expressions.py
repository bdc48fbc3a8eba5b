"""DynamoDB's expressions, as far as the engine writes them: conditions and changes."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Item = Mapping[str, Any]
Values = Mapping[str, Any]
Names = Mapping[str, str]
Test = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Any]

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[:#][A-Za-z0-9_]+|<>|<=|>=|[=<>(),])")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<>": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}
_Words = list[str]


class NotFaked(NotImplementedError):
    """An expression beyond what is understood here."""


def holds(expression: str, row: Item, names: Names, values: Values) -> bool:
    """Tell whether a condition holds of a row; no row is an empty one."""
    return _condition(expression, tuple(names.items()))(row, values)


def change(expression: str, row: Item, names: Names, values: Values) -> dict[str, Any]:
    """Return a row as an update leaves it."""
    changed = dict(row)
    words = _words(expression)
    while words:
        clause = words.pop(0)
        while words and words[0] not in {"SET", "ADD", "DELETE", "REMOVE"}:
            name = names.get(words[0], words.pop(0))
            if clause == "REMOVE":
                changed.pop(name, None)
            else:
                if clause == "SET":
                    _expect(words, "=")
                word = words.pop(0)
                if word == "if_not_exists":
                    standing, word = _arguments(words)
                    value = changed.get(names.get(standing, standing), values[word])
                else:
                    value = values[word]
                _change_one(changed, clause, name, value)
            if words and words[0] == ",":
                words.pop(0)
    return changed


def _change_one(row: dict[str, Any], clause: str, name: str, value: Any) -> None:
    if clause == "SET":
        row[name] = value
    elif clause == "ADD" and "N" in value:
        row[name] = {"N": str(int(row.get(name, {"N": "0"})["N"]) + int(value["N"]))}
    elif clause == "ADD":
        row[name] = {"SS": sorted({*row.get(name, {"SS": []})["SS"], *value["SS"]})}
    elif clause == "DELETE":
        left = sorted(set(row.pop(name, {"SS": []})["SS"]) - set(value["SS"]))
        if left:
            row[name] = {"SS": left}
    else:
        raise NotFaked(clause)


@cache
def _condition(expression: str, names: tuple[tuple[str, str], ...]) -> Test:
    words = _words(expression)
    test = _either(words, dict(names))
    if words:
        raise NotFaked(expression)
    return test


def _words(expression: str) -> _Words:
    words, at = [], 0
    while at < len(expression.rstrip()):
        found = _TOKEN.match(expression, at)
        if not found:
            raise NotFaked(expression)
        words.append(found[1])
        at = found.end()
    return words


def _either(words: _Words, names: Names) -> Test:
    tests = [_both(words, names)]
    while words and words[0] == "OR":
        words.pop(0)
        tests.append(_both(words, names))
    return lambda row, values: any(test(row, values) for test in tests)


def _both(words: _Words, names: Names) -> Test:
    tests = [_one(words, names)]
    while words and words[0] == "AND":
        words.pop(0)
        tests.append(_one(words, names))
    return lambda row, values: all(test(row, values) for test in tests)


def _one(words: _Words, names: Names) -> Test:
    if words[0] == "NOT":
        words.pop(0)
        test = _one(words, names)
        return lambda row, values: not test(row, values)
    if words[0] == "(":
        words.pop(0)
        test = _either(words, names)
        _expect(words, ")")
        return test
    if words[0] in {"attribute_exists", "attribute_not_exists"}:
        there = words.pop(0) == "attribute_exists"
        (name,) = _arguments(words)
        return lambda row, values: (names.get(name, name) in row) is there
    if words[0] in {"contains", "begins_with"}:
        function = words.pop(0)
        left, right = (_operand([word], names) for word in _arguments(words))
        return lambda row, values: _within(function, left(row, values), right(row, values))
    left = _operand(words, names)
    compare = _COMPARE[words.pop(0)]
    right = _operand(words, names)

    def compared(row: Item, values: Values) -> bool:
        a, b = left(row, values), right(row, values)
        return a is not None and b is not None and compare(a, b)

    return compared


def _within(function: str, whole: Any, part: Any) -> bool:
    if whole is None:
        return False
    return bool(part in whole if function == "contains" else whole.startswith(part))


def _operand(words: _Words, names: Names) -> Operand:
    word = words.pop(0)
    if word == "size":
        (name,) = _arguments(words)
        return lambda row, values: _size(plain(row.get(names.get(name, name))))
    if word[0] == ":":
        return lambda row, values: plain(values[word])
    return lambda row, values: plain(row.get(names.get(word, word)))


def _size(value: Any) -> int | None:
    return None if value is None else len(value)


def _arguments(words: _Words) -> list[str]:
    _expect(words, "(")
    arguments = []
    while (word := words.pop(0)) != ")":
        if word != ",":
            arguments.append(word)
    return arguments


def _expect(words: _Words, word: str) -> None:
    if words.pop(0) != word:
        raise NotFaked(f"{word} was expected")


def plain(value: Any) -> Any:
    """Return a value of DynamoDB's as Python's, so that it compares."""
    if value is None:
        return None
    ((kind, plain),) = value.items()
    return int(plain) if kind == "N" else set(plain) if kind == "SS" else plain
