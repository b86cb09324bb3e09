"""Small typed expressions, in which rules are written.

    text ─ parse ─► syntax tree ─ check ─► typed nodes ─ compile ─► Python
                                                       └ interpret ► the slow, readable twin

**Unknown values.** A field may be missing, a mean may rest on too few events, a divisor may be
zero: such a value is unknown (None). What is computed from an unknown value is unknown, and so is a
comparison with one. `and`, `or` and `not` follow Kleene's three-valued logic: `not unknown` is
unknown, `false and unknown` is false, `true or unknown` is true. A rule fires only on true, so
neither `x > 3` nor `not x > 3` holds for an unknown x; `known(x)` asks, `default(x, 0)` fills in.
"""
