# scripts/kernel_registers.sh on what ptxas might have said: what it lists, and that new spills are a failure.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
script=$EEX_SOURCE_DIR/scripts/kernel_registers.sh
[ -f "$script" ] || skip "there is no scripts/kernel_registers.sh beside these tests"
command -v c++filt >/dev/null || skip "there is no c++filt to read names of kernels with"
mkdir logs
said() { # said FILE.CHIP SPILLED REGISTERS: of one kernel, as ptxas puts it
    cat >>"logs/$1" <<END
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z5scalePf' for 'sm_${1##*.}'
ptxas info    : Function properties for _Z5scalePf
    16 bytes stack frame, $2 bytes spill stores, $2 bytes spill loads
ptxas info    : Used $3 registers, used 1 barriers
END
}
look() { expect "$1" bash "$script" --logs "$work/logs"; }
allowed=$(awk '$1 == 90 && $2 == "op_loss.cu" { print $3 }' "$EEX_SOURCE_DIR/scripts/kernel_registers.txt")
[ "${allowed:-0}" -gt 0 ] || fail "kernel_registers.txt allows op_loss.cu nothing on 9.0: another file for this test"

look 77 # nothing was compiled
said op_add.cu.90 0 127
look 0
out_has "# 1 kernels"
grep -q "scale" out && fail "a kernel of few registers is listed"
said op_add.cu.90 0 128
look 0
out_has "90 op_add.cu 0 128 scale(float*)"
said op_loss.cu.90 "$allowed" 64
look 0
out_has "90 op_loss.cu $allowed 64 scale(float*)"
said op_loss.cu.90 $((allowed + 4)) 64
look 1
out_has "new spills: 90 op_loss.cu $((allowed + 4)) 64"
rm logs/op_loss.cu.90
said op_loss.cu.99 4 64 # another chip
look 1
rm logs/op_loss.cu.99
other=$(awk '$1 != 90 && !/^#/ { name = $2; at[name] } $1 == 90 { here[$2] }
    END { for (name in at) if (!(name in here)) { print name; exit } }' "$EEX_SOURCE_DIR/scripts/kernel_registers.txt")
[ -n "$other" ] || fail "kernel_registers.txt allows nothing that it does not allow on 9.0"
said "$other.90" 4 64 # allowed on another chip alone
look 1
rm "logs/$other.90"
said op_add.cu.90 4 64 # another file
look 1
out_has "new spills: 90 op_add.cu 4 64 scale(float*)"
echo "new spills are found"
