# What "eex devices" says of a GPU for which this build has no kernels. The emulator's build "has" those for
# 6.1, 7.5, 8.0 and 9.0, the last of them also as PTX.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
devices() { EEX_EMULATE_CAPABILITY=$1 expect 0 "$EEX" devices "${@:2}"; }

for chip in 6.1 6.2 7.5 8.6 9.0 12.0; do
    devices "$chip" --json
    out_has "\"capability\": \"$chip\""
    grep -q '"available": false' out && fail "there are kernels for $chip"
    devices "$chip"
    grep -q "kernels for" out && fail "there are kernels for $chip"
done
for chip in 5.2 6.0 7.0; do
    devices "$chip" --json
    out_has '"available": false'
    out_has '"problem": "this build has kernels for 6.1, 7.5, 8.0, 9.0 and newer"'
    devices "$chip"
    out_has "compute capability $chip"
    out_has "not available: this build has kernels for 6.1, 7.5, 8.0, 9.0 and newer"
done
echo "a GPU without kernels is listed as one that cannot be used"
