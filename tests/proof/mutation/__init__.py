"""Mutation testing: whether the tests notice a change of the product.

Everything is imported and collected once. A mutant is a small change inside one function; a forked child puts
the changed code into the function and runs the tests that pass over the changed line, quickest first, until
one fails. A mutant that no test notices survives. What no test passes over is told apart.
"""
