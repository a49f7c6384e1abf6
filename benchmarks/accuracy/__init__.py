"""How far products are from the truth: analytic plasmas in real tables."""
