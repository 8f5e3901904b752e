/* Exit predictors: what they cost, to the digit, and what they are refused for. */
#include "core/graph/cost.h"
#include "core/graph/predictor.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

/* Published costs (Dong et al.): Table II at two gates. */
static const struct {
    eex_exit_predictor_family family;
    int64_t cost, params;
} published[] = {{EEX_PREDICTOR_SEPARABLE, 398224, 59298},
                 {EEX_PREDICTOR_PLAIN, 286466, 0},
                 {EEX_PREDICTOR_LINEAR, 393730, 0},
                 {EEX_PREDICTOR_LENET, 670370, 0}};

Test(predictor, published_costs_are_exact)
{
    for (int i = 0; i < EEX_PREDICTOR_FAMILIES; i++) {
        eex_graph *g = NULL;
        cr_assert_eq(eex_exit_predictor_graph(&g, published[i].family, 32, 32, 3, 2), EEX_OK, "%s",
                     eex_error());
        cr_expect_eq(eex_cost_total(g, EEX_PTFLOPS), published[i].cost, "%s: %" PRId64,
                     eex_graph_name(g), eex_cost_total(g, EEX_PTFLOPS));
        if (published[i].params)
            cr_expect_eq(eex_graph_param_total(g), published[i].params, "%" PRId64,
                         eex_graph_param_total(g));
        eex_graph_free(g);
    }
}

Test(predictor, has_an_output_a_gate_for_images_of_any_size)
{
    static const int sizes[][3] = {{32, 32, 1}, {28, 28, 1}, {33, 17, 3}, {1, 1, 3}, {7, 96, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int gates = 1; gates <= EEX_LABEL_BITS; gates += 6)
            for (int family = 0; family < EEX_PREDICTOR_LENET; family++) {
                eex_graph *g = NULL;
                cr_assert_eq(eex_exit_predictor_graph(&g, (eex_exit_predictor_family)family,
                                                      sizes[i][0], sizes[i][1], sizes[i][2], gates),
                             EEX_OK, "%s", eex_error());
                cr_expect_eq(eex_graph_classes(g), gates < 2 ? 2 : gates);
                eex_graph_free(g);
            }
}

Test(predictor, what_cannot_be_is_refused)
{
    eex_graph *g = (eex_graph *)&g;
    cr_assert_eq(eex_exit_predictor_graph(&g, EEX_PREDICTOR_LENET, 32, 15, 3, 2), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "needs images of 16x16"), "%s", eex_error());
    cr_assert_null(g);
    cr_assert_eq(eex_exit_predictor_graph(&g, EEX_PREDICTOR_FAMILIES, 32, 32, 3, 2), EEX_EINVAL);
    cr_assert_eq(eex_exit_predictor_graph(&g, EEX_PREDICTOR_LINEAR, 32, 32, 3, 0), EEX_EINVAL);
    cr_assert_eq(eex_exit_predictor_graph(&g, EEX_PREDICTOR_LINEAR, 32, 32, 3, 32), EEX_EINVAL);
    cr_assert_eq(eex_exit_predictor_graph(NULL, EEX_PREDICTOR_LINEAR, 32, 32, 3, 2), EEX_EINVAL);
}
