#include "core/exchange/dialects.h"

#include <stdio.h>
#include <string.h>

/* A layer's name, or the part of it that is replaced. */
typedef struct pair {
    const char *ours, *theirs;
} pair;

static bool put(char out[EEX_TENSOR_NAME], const char *layer, const char *member)
{
    return snprintf(out, EEX_TENSOR_NAME, "%s%s", layer, member) < EEX_TENSOR_NAME;
}

/* "fc.weight" is the member ".weight" of the layer "fc". */
static const char *member_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot : name + strlen(name);
}

static const char *find(const pair *pairs, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(pairs[i].ours) == length && strncmp(pairs[i].ours, name, length) == 0)
            return pairs[i].theirs;
    return NULL;
}

#define FIND(pairs, name, length) find(pairs, sizeof(pairs) / sizeof *(pairs), name, length)

/* ---- torchvision ---- */

static bool as_it_is(char out[EEX_TENSOR_NAME], const char *name)
{
    return put(out, name, "");
}

/* ---- timm ---- */

/* VGG's classifier, and the ends of MobileNetV2. */
static const pair timm_ends[] = {
    {"features.0.0", "conv_stem"},      {"features.0.1", "bn1"},
    {"features.18.0", "conv_head"},     {"features.18.1", "bn2"},
    {"classifier.1", "classifier"},     {"classifier.0", "pre_logits.fc1"},
    {"classifier.3", "pre_logits.fc2"}, {"classifier.6", "head.fc"},
};

/* MobileNetV2's blocks: the first has no layer that expands. */
static const pair timm_first[] = {
    {"conv.0.0", "conv_dw"}, {"conv.0.1", "bn1"}, {"conv.1", "conv_pw"}, {"conv.2", "bn2"}};
static const pair timm_block[] = {
    {"conv.0.0", "conv_pw"}, {"conv.0.1", "bn1"},    {"conv.1.0", "conv_dw"},
    {"conv.1.1", "bn2"},     {"conv.2", "conv_pwl"}, {"conv.3", "bn3"},
};

/* Blocks are counted through here and by stages there. */
static void stage_of(int *stage, int *block, int feature)
{
    static const int repeats[] = {1, 2, 3, 4, 3, 3, 1};
    *stage = 0;
    *block = feature - 1;
    while (*stage < 6 && *block >= repeats[*stage])
        *block -= repeats[(*stage)++];
}

static bool timm_in_block(char out[EEX_TENSOR_NAME], const char *name, const char *member)
{
    char layer[EEX_TENSOR_NAME];
    int feature = 0, inner = 0, stage, block;
    if (sscanf(name, "features.%2d.%n", &feature, &inner) != 1 || !inner || feature < 1 ||
        feature > 17 || name + inner > member)
        return false;
    const size_t length = (size_t)(member - name - inner);
    const char *theirs = feature == 1 ? FIND(timm_first, name + inner, length)
                                      : FIND(timm_block, name + inner, length);
    if (!theirs)
        return false;
    stage_of(&stage, &block, feature);
    snprintf(layer, sizeof layer, "blocks.%d.%d.%s", stage, block, theirs);
    return put(out, layer, member);
}

/* timm's residual networks are called as torchvision's. */
static bool timm(char out[EEX_TENSOR_NAME], const char *name)
{
    const char *member = member_of(name);
    const char *theirs = FIND(timm_ends, name, (size_t)(member - name));
    if (theirs)
        return put(out, theirs, member);
    return timm_in_block(out, name, member) || put(out, name, "");
}

/* ---- the residual networks of github.com/kuangliu/pytorch-cifar ---- */

static bool cifar(char out[EEX_TENSOR_NAME], const char *name)
{
    static const char ours[] = ".downsample.", theirs[] = ".shortcut.";
    const char *at = strstr(name, ours);
    if (strncmp(name, "fc.", 3) == 0)
        return put(out, "linear.", name + 3);
    if (!at)
        return put(out, name, "");
    return snprintf(out, EEX_TENSOR_NAME, "%.*s%s%s", (int)(at - name), name, theirs,
                    at + strlen(ours)) < EEX_TENSOR_NAME;
}

static const eex__dialect dialects[] = {
    {"torchvision", as_it_is}, {"timm", timm}, {"pytorch-cifar", cifar}};

const eex__dialect *eex__dialect_at(int i)
{
    return i >= 0 && (size_t)i < sizeof dialects / sizeof *dialects ? &dialects[i] : NULL;
}
