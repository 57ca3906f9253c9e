"""`dataclass` as in the standard library, for a tenth of what that costs at the start of a process.

The standard library compiles the text of six methods for each class, which was half of the time of `gracegate check` on
one file: it has 200 classes, and makes objects of 60. Here `__init__` alone is compiled, because it runs often, and not
before the first object is made; the other methods are the same ones for all classes. `fields`, `replace` and `asdict`
of the standard library work with these classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    from operator import attrgetter

    def dataclass(cls=None, /, *, frozen=False, slots=False):
        """As in the standard library, with the options that are used here, and without `__post_init__`."""
        if cls is None:
            return lambda given: dataclass(given, frozen=frozen, slots=slots)
        own = cls.__dict__
        methods = {"__repr__": _repr}
        if frozen:
            methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
            if slots:  # without slots pickle fills `__dict__`
                methods |= {"__getstate__": _getstate, "__setstate__": _setstate}
        # A class without a text is given its signature as one, which costs more than all else.
        text, cls.__doc__ = cls.__doc__, "-"
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
        made.__doc__ = text
        methods |= {
            "__init__": _init_at_first_need(made, frozen=frozen, slots=slots),
            **_comparison(made, frozen=frozen),
        }
        for name in methods.keys() - own:
            setattr(made, name, methods[name])
        return made

    def _init_at_first_need(cls, *, frozen, slots):
        def __init__(self, *args, **kwargs):  # noqa: N807 - what is called so
            cls.__init__ = _compile_init(cls, frozen=frozen, slots=slots)
            cls.__init__(self, *args, **kwargs)

        return __init__

    def _compile_init(cls, *, frozen, slots):
        known = {"set_field": object.__setattr__, "missing": dataclasses.MISSING}
        parameters, lines = ["self"], ["pass"]
        for number, field in enumerate(dataclasses.fields(cls)):
            name, value, default, factory = field.name, field.name, f"default_{number}", f"factory_{number}"
            has_default, has_factory = (
                one is not dataclasses.MISSING for one in (field.default, field.default_factory)
            )
            known |= {default: field.default, factory: field.default_factory}
            if has_factory:
                value = f"{factory}() if {name} is missing else {name}" if field.init else f"{factory}()"
            if field.init:
                default = "=missing" if has_factory else f"={default}" if has_default else ""
                parameters.append(f"{name}{default}")
            elif has_default and slots:
                value = default
            elif not has_factory:
                continue
            lines.append(f"set_field(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
        exec(f"def __init__({', '.join(parameters)}):\n    " + "\n    ".join(lines), known)  # noqa: S102 - names of ours
        init = known["__init__"]
        init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        return init

    def _comparison(cls, *, frozen):
        names = [field.name for field in dataclasses.fields(cls) if field.compare]
        # For a single name attrgetter gives no tuple.
        values = attrgetter(*names) if len(names) > 1 else lambda one: [getattr(one, name) for name in names]

        def __eq__(self, other):  # noqa: N807
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self):  # noqa: N807
            return hash((*values(self),))

        return {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}

    def _repr(self):
        values = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
        return f"{type(self).__qualname__}({', '.join(values)})"

    def _refuse_to_set(_self, name, _value):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_to_delete(_self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def _getstate(self):
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    def _setstate(self, state):
        for field, value in zip(dataclasses.fields(self), state, strict=True):
            object.__setattr__(self, field.name, value)
