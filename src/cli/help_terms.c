#include "cli/help_terms.h"

#include "cli/print.h"

typedef struct term {
    const char *word, *meaning;
} term;

static const term terms[] = {
    {"accuracy, right", "images that are classified right, of those of the split that the column "
                        "or the line below the "
                        "table names. An image that is rejected is not right"},
    {"training split", "what weights are learned from"},
    {"calibration split", "what temperatures and thresholds are set on, and nothing else"},
    {"validation split", "what structures, policies and cuts are chosen by"},
    {"test split", "scored once, at the end of a run: nothing is chosen by it"},
    {"base", "the backbone without exits, trained by itself"},
    {"early exit",
     "the chosen network with gates, whose images leave as soon as its policy says so"},
    {"to its end",
     "the chosen network with nobody leaving early: what exits cost, or gain, is seen against it. "
     "\"-\": the run does not keep it"},
    {"exit", "a place where images may leave, numbered from 1; the last one is the end of the "
             "backbone"},
    {"point", "a place where the search may put a gate, numbered from 1; \"3:1\" is a gate of one "
              "block at point 3"},
    {"blocks", "convolutions with batch norm and activation in a gate, in front of its classifier"},
    {"leave", "share of all images that leave at this exit"},
    {"alone", "accuracy of an exit if all images left there"},
    {"MACs", "multiply-accumulates of one image on average, every gate that was run charged"},
    {"ADA_MACs", "the same; \"with only the gate taken\" is EDANAS's way of counting"},
    {"ECE", "expected calibration error: how far confidence is from accuracy on average, over 15 "
            "bins, on the validation split; 0 is perfect"},
    {"AUROC",
     "of an exit's score: how often an input that it gets right has a higher score than one "
     "that it gets wrong; 1: always, 0.5: by chance. Calibration does not change it much: it "
     "says which exits can tell what they know"},
    {"AURC",
     "area under the risk-coverage curve of an exit's score: the error among the surest inputs, "
     "averaged over how many of them are answered; less is better"},
    {"after",
     "ECE: with the calibrated temperatures. tune: with the thresholds that were just set"},
    {"trial", "a structure (which gates are where) that the search has judged; \"all structures "
              "tried\": there is nothing that it has missed"},
    {"Pareto front", "trials that no other beats in both accuracy and cost"},
    {"front", "networks that are finished and scored on the test split beside the chosen one "
              "(search.front): \"front\", members of the Pareto front at even distances of cost; "
              "\"best\", of all trials with so many gates, 1 to 4, the one that the run would "
              "choose"},
    {"taken", "MACs with the trunk and only the gate taken: EDANAS's ADA_MACS"},
    {"backbone", "of the front: the same network without its gates, everybody at the end; EDANAS "
                 "calls it NAS"},
    {"cut after", "of the front: the trunk up to one of the network's gates, and that gate alone: "
                  "the static network that is the best by validation of those that cost no more"},
    {"against the cut", "MACs at the same accuracy, compared with the network cut after one of its "
                        "exits, where everybody leaves; between two of them, with each image sent "
                        "to one by chance"},
    {"hypervolume", "of a search: how much of accuracy and cost its front covers, up to a "
                    "reference point that stays where it is"},
    {"mean, p50, p95, p99 ms", "milliseconds of one image at a time: the mean, and what that share "
                               "of the images does not exceed"},
    {"speed-up", "how many times faster than the base, by the clock; \"theoretical\" and \"by "
                 "MACs\": by counting"},
    {"work", "of a run: seconds of training and searching, all sessions and workers together; "
             "traces, timing, predictors, bottlenecks and filters are not in it"},
    {"loss", "in lines of progress: the mean over the exits of the epoch so far"},
    {"val., train", "in lines of progress: accuracy at the end of the network in the last whole "
                    "epoch, on images of the validation split and on the training images as they "
                    "were augmented"},
    {"policy", "the rule by which images leave: a score of how sure an exit is, and thresholds"},
    {"rejected", "told to be none of the classes"},
    {"as the end", "share of the images that get the class that the end of the network gives them"},
    {"drift", "frames leave otherwise than the calibration split did"},
};

int eex_help_terms(void)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_puts(&text, "The words of tables and of lines of progress.\n\n");
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        eex_buffer_printf(&text, "  %s\n      %s.\n", terms[i].word, terms[i].meaning);
    return eex__print_paragraphs(&text);
}
