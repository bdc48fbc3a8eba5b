def write(results: object) -> None:
    pass
