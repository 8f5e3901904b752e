#include "core/report/report_words.h"

#include "base/status.h"
#include "base/text.h"
#include "base/wrap.h"

#include <math.h>
#include <stdio.h>

int eex__report_paragraph(eex_buffer *out, const eex_report *r, size_t width,
                          eex__report_words *words)
{
    eex_buffer text = EEX_BUFFER_INIT;
    words(&text, r);
    if (eex_buffer_status(&text) == EEX_OK)
        eex_wrap(out, eex_buffer_text(&text),
                 width > 0 && width < EEX_WRAP_WIDTH ? width : EEX_WRAP_WIDTH);
    const int code = eex_buffer_status(&text);
    eex_buffer_free(&text);
    return code;
}

/* Whether there are trials, and each that was judged oversteps a limit. */
static bool none_keeps_limits(const eex_report *r)
{
    size_t over = 0;
    for (size_t i = 0; i < r->trials.count; i++) {
        const eex_trial *t = &r->trials.at[i];
        if (t->status == EEX_OK && t->violation <= 0)
            return false;
        over += t->status == EEX_OK;
    }
    return over > 0;
}

void eex__report_heading(eex_buffer *out, const eex_report *r)
{
    eex_buffer_printf(out, "%s on %s, seed %lld, %s\n", r->name, r->dataset, (long long)r->seed,
                      r->device);
    if (r->precision != EEX_F32)
        eex_buffer_printf(out, "decides in %s\n", eex_precision_name(r->precision));
    if (r->images.height != r->network.height || r->images.width != r->network.width)
        eex_buffer_printf(out, "images of %lldx%lld are resized to %lldx%lld\n",
                          (long long)r->images.height, (long long)r->images.width,
                          (long long)r->network.height, (long long)r->network.width);
    if (!r->finished && none_keeps_limits(r))
        eex_buffer_printf(
            out,
            "not finished: %s, and none of %zu trials keeps search.limits: where that is all of "
            "the search, the same command ends as before. Wider limits, or more search.trials, are "
            "a run of its own: with --out and --from %s it takes over what is trained.\n",
            r->state, r->trials.count, r->folder);
    else if (!r->finished)
        eex_buffer_printf(out, "not finished: %s; the same \"eex run\" goes on from there\n",
                          r->state);
}

static bool has_genes(const eex_report *r)
{
    return r->space && eex_described_genes(r->space) > 0;
}

bool eex__report_base_is_a_start(const eex_report *r)
{
    return has_genes(r) && r->base.epochs > 0 && r->base.epochs < r->shared_epochs;
}

/* ---- what it costs to leave early ---- */

void eex__report_points(eex_buffer *out, double change)
{
    const double shown = 100 * fabs(change);
    if (shown < 0.005)
        eex_buffer_puts(out, "costs no accuracy");
    else
        eex_buffer_printf(out, "%s %.2f points of accuracy", change < 0 ? "costs" : "gains", shown);
}

static void against_base(eex_buffer *out, const eex_report *r)
{
    if (!has_genes(r))
        eex_buffer_puts(out, "The base is the backbone trained by itself: against it, training "
                             "with exits ");
    else if (eex__report_base_is_a_start(r))
        eex_buffer_printf(out,
                          "The base is the largest network of the backbone after %lld epoch%s by "
                          "itself, a start for the shared network's %lld and no rival: against it, "
                          "the chosen network run to its end ",
                          (long long)r->base.epochs, eex_plural(r->base.epochs),
                          (long long)r->shared_epochs);
    else
        eex_buffer_puts(out, "The base is the largest network of the backbone, trained by itself: "
                             "against it, the chosen network run to its end ");
    eex__report_points(out, r->full.accuracy - r->base.accuracy);
    eex_buffer_puts(out, ".");
    if (!has_genes(r) && r->rivals.count == 0 &&
        r->base.epochs < r->shared_epochs + r->final_epochs)
        eex_buffer_printf(out,
                          " It was trained for %lld epoch%s, the network with exits for %lld more: "
                          "rivals.base trains one for as long.",
                          (long long)r->base.epochs, eex_plural(r->base.epochs),
                          (long long)(r->shared_epochs + r->final_epochs));
    eex_buffer_putc(out, '\n');
}

void eex__report_compare(eex_buffer *out, const eex_report *r)
{
    char text[EEX_TEXT_SIZE];
    if (isnan(r->full.accuracy)) {
        const double end = r->best.exit[r->best.exits - 1].validation_accuracy;
        eex_buffer_puts(out,
                        "-: the eex that made this run did not keep what the same network does "
                        "when it is run to its end. ");
        eex_buffer_printf(out,
                          "On the validation split its end is right for %.2f %%, "
                          "and %.2f %% are right when they leave early.\n",
                          100 * end, 100 * r->best.validation_accuracy);
        return;
    }
    if (r->best.exits == 1) {
        eex_buffer_puts(out, "The chosen network has no gates: nobody leaves early. ");
        against_base(out, r);
        return;
    }
    const double saved = 1 - r->best.ada_macs_cumulative / r->full.macs;
    eex_buffer_puts(out, "Against the same network run to its end, leaving early ");
    eex__report_points(out, r->best.accuracy - r->full.accuracy);
    eex_buffer_printf(out, " on the test split and %s %.1f %% of the MACs",
                      saved < 0 ? "adds" : "saves", 100 * fabs(saved));
    eex_buffer_printf(out, " (the trunk alone, without gates: with them to the end it is %s). ",
                      eex_text_number(text, r->full.macs_with_gates, NULL));
    against_base(out, r);
}

/* ---- the search ---- */

/* What the chosen one's network is made of. */
static void network(eex_buffer *out, const eex_report *r)
{
    const int *genome = eex_trials_genome(&r->trials, (size_t)r->chosen);
    eex_buffer_printf(out, "Its network: ");
    for (int i = 0; i < eex_described_genes(r->space) && i < r->trials.genes; i++) {
        const eex_structure_gene gene = eex_described_gene(r->space, genome, i);
        eex_buffer_printf(out, "%s%s %g", i ? ", " : "", gene.name, gene.value);
    }
    eex_buffer_puts(out, "\n");
}

void eex__report_search(eex_buffer *out, const eex_report *r)
{
    char text[EEX_TEXT_SIZE];
    const size_t trials = r->trials.count;
    size_t failed = 0;
    for (size_t i = 0; i < trials; i++)
        failed += r->trials.at[i].status != EEX_OK;
    eex_buffer_printf(out, "%zu trial%s", trials, eex_plural((int64_t)trials));
    if (r->structures > 0 && (uint64_t)r->structures == trials)
        eex_buffer_printf(out, ": %s%zu structure%s tried", trials == 1 ? "the only " : "all ",
                          trials, eex_plural((int64_t)trials));
    else if (r->structures > 0)
        eex_buffer_printf(out, " of %lld structures", (long long)r->structures);
    if (failed)
        eex_buffer_printf(out, ", %zu of them failed", failed);
    if (r->chosen >= 0)
        eex_buffer_printf(out, ", %zu on the Pareto front, trial %lld chosen", r->front_count,
                          (long long)r->chosen);
    eex_buffer_printf(out, "; %s of work\n", eex_text_duration(text, r->seconds));
    if (r->chosen >= 0 && (size_t)r->chosen < trials && has_genes(r))
        network(out, r);
    if (r->tau_count)
        eex_buffer_printf(out, "Kendall tau between the evaluators: %.3f over %zu candidate%s\n",
                          r->tau, r->tau_count, eex_plural((int64_t)r->tau_count));
}

void eex_report_put_left_out(eex_buffer *out, size_t rows, size_t count, size_t width)
{
    char line[160];
    if (rows == count)
        return;
    snprintf(line, sizeof line, "(%zu of the %zu on the front; eex show --json has all of them)\n",
             rows, count);
    eex_wrap(out, line, width > 0 && width < EEX_WRAP_WIDTH ? width : EEX_WRAP_WIDTH);
}

/* ---- what words mean ---- */

void eex__report_legend(eex_buffer *out, const eex_report *r)
{
    char text[EEX_TEXT_SIZE];
    if (r->finished)
        eex_buffer_puts(
            out,
            "test: right of the test split, scored once. leave, right: of the test split; right of "
            "those that leave there.\n"
            "alone: right on the validation split if all left there. ECE: expected calibration "
            "error on the validation split, how far confidence is from accuracy, before "
            "calibration and after it. AUROC: how often a right answer has a higher score than a "
            "wrong one (1: always, 0.5: by chance). AURC: the error among the surest inputs, "
            "averaged over how many are answered (less is better).\n");
    if (r->finished && r->best.exits > 1 && !isnan(r->best.validation_cut_saved))
        eex_buffer_puts(out, "against the cut: the network cut after one of its exits, where "
                             "everybody leaves; between two of them, each image to one by chance. "
                             "What is saved, telling easy images from hard ones has saved.\n");
    if (r->front_count)
        eex_buffer_puts(out,
                        "trial: a structure, which gates are where, that the search has judged. "
                        "point: which of the run's exit points; gates are listed as "
                        "point:blocks, with @ and their threshold where the search chooses it (of "
                        "entropies: minus the entropy).\n");
    if (r->tested.count)
        eex_buffer_puts(
            out, "front: networks of the search's Pareto front (front) and the best by "
                 "validation of each number of gates (best), trained and calibrated like "
                 "the chosen one. taken: MACs with only the gate taken. backbone: the same "
                 "network without its gates. cut: its trunk up to one gate, the best by "
                 "validation of those that cost no more. thresholds: all, none: so many "
                 "leave there, whatever the score; of entropies: minus the entropy. Each has its "
                 "model file, front-0001.h5 and so on.\n");
    if (r->models.count)
        eex_buffer_printf(out,
                          "hypervolume: what the front covers of 1 - accuracy and cost, up to "
                          "%.4g and %s; tau: Kendall's, cross-validated; cost alone: what is "
                          "known of accuracy without a model.\n",
                          r->models.reference[0],
                          eex_text_number(text, r->models.reference[1], NULL));
    eex_buffer_puts(out, "\"eex help terms\" explains all words.\n");
}
