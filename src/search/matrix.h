/* A little linear algebra for surrogates. Matrices are rows of numbers, without gaps. */
#ifndef EEX_SEARCH_MATRIX_H
#define EEX_SEARCH_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

/* out (m, n) = a (m, k) b (k, n). */
void eex_multiply(double *out, const double *a, const double *b, size_t m, size_t k, size_t n);
void eex_multiply_float(float *out, const float *a, const float *b, size_t m, size_t k, size_t n);

/* out (n, m) = a (m, n) transposed. */
void eex_transpose(double *out, const double *a, size_t m, size_t n);
void eex_transpose_float(float *out, const float *a, size_t m, size_t n);

/* Squared distances (m, n) of rows a (m, k) from points whose transpose is b (k, n) and whose
 * squared lengths are `lengths` (n). */
void eex_distances(double *out, const double *a, const double *b, const double *lengths, size_t m,
                   size_t k, size_t n);

/* The sum of products of a and b, (n). */
double eex_dot(const double *a, const double *b, size_t n);

/* values[i] = values[i]^1.5, and exp(scale * values[i]) to within 1e-14; of numbers that are not
 * negative, with a scale that is. */
void eex_cubes_of_roots(double *values, size_t n);
void eex_exponentials(double *values, double scale, size_t n);

/* Squared lengths (n) of rows (n, k). */
void eex_lengths(double *out, const double *rows, size_t n, size_t k);

/* Factors a symmetric positive definite (n, n) in place: a = U^T U, U its upper triangle; what is
 * below is not touched. False when it is not positive definite: `a` is then good for nothing. */
bool eex_cholesky(double *a, size_t n);

/* x (n): x = U^-T x; and x = U^-1 x. One after the other they solve a x = b. */
void eex_cholesky_forward(const double *u, double *x, size_t n);
void eex_cholesky_backward(const double *u, double *x, size_t n);

#endif
