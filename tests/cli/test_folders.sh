# The folder of a run: file systems without locks, folders where nobody may write, starts that fail, links put where
# files are written.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
run=("$EEX" run tiny.lua --threads 1)
expect 0 "${run[@]}" --out whole
cp out whole.txt

# What a run leaves can be used by its owner, whatever umask takes from him; others stay kept out.
for mask in 777 277 077; do
    (umask $mask && "${run[@]}" --out "masked/$mask" >masked.out 2>masked.err) || fail "no run with a umask of $mask: $(cat masked.err)"
    [ "$(stat -c %a masked masked/$mask | sort -u)" = 700 ] || fail "umask $mask: $(stat -c '%n %a' masked masked/$mask)"
    [ "$(stat -c %a masked/$mask/run.h5)" = 600 ] || fail "umask $mask: run.h5 is $(stat -c %a masked/$mask/run.h5)"
    rm -rf masked
done

# ---- no locks ----

cat >shim.c <<'C'
#include <errno.h>
#include <stdlib.h>
int flock(int file, int operation)
{
    errno = atoi(getenv("NO_LOCK_ERRNO"));
    return -1;
}
C
if ! ldd "$EEX" 2>/dev/null | grep -q -e libasan -e libtsan && ${CC:-cc} -shared -fPIC -o shim.so shim.c 2>/dev/null; then
    for number in 37 38 95; do # ENOLCK, ENOSYS, ENOTSUP and EOPNOTSUPP
        expect 1 env LD_PRELOAD=./shim.so NO_LOCK_ERRNO=$number "${run[@]}" --out some/where
        err_has "its file system has no locks"
        err_has "--no-lock"
        [ ! -e some ] || fail "what was made for a run that did not start stays"
    done
    mkdir there
    echo mine >there/notes
    expect 1 env LD_PRELOAD=./shim.so NO_LOCK_ERRNO=95 "${run[@]}" --out there
    [ "$(ls -A there)" = notes ] || fail "left behind: $(ls -A there)"
    expect 0 env LD_PRELOAD=./shim.so NO_LOCK_ERRNO=95 "${run[@]}" --out some/where --no-lock
    [ "$(grep -c "nothing else may write to it" err)" -eq 1 ] || fail "not warned once"
    cmp -s <(results some/where) <(results whole) || fail "without locks the result differs"
    expect 0 env LD_PRELOAD=./shim.so NO_LOCK_ERRNO=95 "${run[@]}" --out some/where # shown: nothing is written
    err_has "is finished"
else
    echo "no library can be preloaded here: missing locks were not tried"
fi

# Where there are locks, --no-lock is no way around them.
mkdir held
exec 9>held/.lock
flock 9
expect 1 "${run[@]}" --out held --no-lock
err_has "is in use by process"
exec 9>&-

# ---- what is still there when the power fails ----

cat >sync.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int file)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 2);
    const int log = open("synced", O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (length > 0 && log >= 0) {
        path[length] = '\n';
        if (write(log, path, (size_t)length + 1) < 0)
            return -1;
        close(log);
    }
    return (int)syscall(SYS_fsync, file);
}
C
if ! ldd "$EEX" 2>/dev/null | grep -q -e libasan -e libtsan && ${CC:-cc} -shared -fPIC -o sync.so sync.c 2>/dev/null; then
    expect 0 env LD_PRELOAD="$work/sync.so" "${run[@]}" --out new/and/deep
    for folder in "$work" "$work/new" "$work/new/and" "$work/new/and/deep"; do # those that have got a new member
        grep -qx "$folder" synced || fail "$folder was not synced"
    done
    for file in new/and/deep/*.h5; do
        grep -q "/new/and/deep/$(basename "$file")" synced || fail "$file was not synced before it got its name"
    done
else
    echo "no library can be preloaded here: syncing was not tried"
fi

# ---- where nobody may write ----

mkdir read-only
cp -r whole read-only/run
shown() {
    expect 0 "$@" --out read-only/run
    err_has "is finished"
    cmp -s out whole.txt || fail "another table is shown"
}
refused() {
    expect 1 "$@"
    err_has "read-only"
    [ -z "$(find read-only -newer stamp)" ] || fail "something was written: $(find read-only -newer stamp)"
}
tried=0
touch stamp
if mount --bind read-only read-only 2>/dev/null && mount -o remount,ro,bind read-only 2>/dev/null; then
    shown "${run[@]}"
    expect 0 "$EEX" show read-only/run
    refused "${run[@]}" --out read-only/run --fresh
    refused "${run[@]}" --out read-only/new
    tried=1
fi
umount read-only 2>/dev/null
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if "${as[@]}" true 2>/dev/null; then
    chmod 755 . && chmod -R a+rX . && chmod -R a-w read-only
    shown "${as[@]}" "${run[@]}"
    refused "${as[@]}" "${run[@]}" --out read-only/run --fresh
    refused "${as[@]}" "${run[@]}" --out read-only/new
    tried=1
fi
chmod -R u+w read-only
[ $tried -eq 1 ] || echo "neither mounts nor other users here: read-only folders were not tried"

# ---- starts that fail ----

# A disk that is full from the start: the folders that were made are gone again, and nothing else.
mkdir full
if mount -t tmpfs -o size=4k none full 2>/dev/null; then
    head -c 4096 /dev/zero >full/ballast
    expect 1 "${run[@]}" --out full/a/b
    [ "$(ls -A full)" = ballast ] || fail "left behind: $(ls -A full)"
    umount full
else
    echo "no tmpfs may be mounted here: the full disk was not tried"
fi
expect 1 "${run[@]}" --out deep/er --set dataset.name=missing
[ ! -e deep ] || fail "a folder was made for a data set that is not there"
expect 2 "${run[@]}" --out deep/er --set search.trials=0
[ ! -e deep ] || fail "a folder was made for a mistake"
expect 1 "${run[@]}" --out deep/er --from nowhere
[ ! -e deep ] || fail "a folder was made for a mistyped --from"
mkdir -p mixed
cp whole/base.h5 mixed # of which run, nobody knows
expect 2 "${run[@]}" --out mixed
[ "$(ls -A mixed)" = base.h5 ] || fail "left behind: $(ls -A mixed)"

# ---- links ----

echo mine >precious
precious() {
    [ "$(cat precious)" = mine ] || fail "$1: a link was followed"
}
# Every file of a run, as a link to another place.
mkdir linked
for file in run split base shared trace-calibration trace-validation latency search final final-calibration \
    final-validation policies result base-checkpoint shared-checkpoint trials-0000000; do
    ln -s ../nowhere linked/$file.h5
done
expect 0 "${run[@]}" --out linked
[ ! -e nowhere ] || fail "a link that led nowhere was written through"
cmp -s <(results linked) <(results whole) || fail "with links in the way the result differs"
ln -sf ../precious linked/.lock
rm linked/result.h5
expect 1 "${run[@]}" --out linked
err_has "linked/.lock is a symbolic link, which is not followed: remove it"
precious .lock

# Files that commands write: the link is what is replaced.
for target in precious nowhere; do
    rm -f policy.h5
    ln -s $target policy.h5
    expect 2 "$EEX" tune whole --accuracy -0.9 -o policy.h5
    err_has "policy.h5 is there already"
    ln -sf $target sheet.png
    [ $target = nowhere ] || continue
    expect 2 "$EEX" data info tiny --sheet sheet.png
    err_has "sheet.png is there already"
    expect 0 "$EEX" data info tiny --sheet sheet.png --force
    [ ! -L sheet.png ] || fail "the link was followed"
    rm -f sheet.png
done
precious "-o and --sheet"
[ ! -e nowhere ] || fail "a link that led nowhere was written through"
expect 0 "$EEX" tune whole --accuracy -0.9 -o real.h5
rm policy.h5
ln -s real.h5 policy.h5
before=$(sha256sum <real.h5)
expect 0 "$EEX" tune whole --accuracy -0.5 -o policy.h5 --force
[ ! -L policy.h5 ] && [ "$(sha256sum <real.h5)" = "$before" ] || fail "a policy was written through a link"
ln -s ../precious data/linked.h5
expect 2 "$EEX" data make synthetic --train 30 --test 10 --name linked
precious "data make"

# Streams are for what is text.
expect 0 "$EEX" profile whole --images 8 --batch 4 --rounds 2 --trace /dev/null
expect 0 "$EEX" profile whole --images 8 --batch 4 --rounds 2 --trace /dev/stdout
out_has '"traceEvents"'
[ -c /dev/null ] && { [ -L /dev/stdout ] || [ ! -e /dev/stdout ]; } || fail "a device was replaced"
mkfifo pipe
cat pipe >through &
expect 0 "$EEX" profile whole --images 8 --batch 4 --rounds 2 --trace pipe
wait
grep -q traceEvents through && [ -p pipe ] || fail "a pipe was not written into"
# A device that nothing is behind is no pipe.
if command -v setsid >/dev/null; then
    expect 1 setsid -w "$EEX" profile whole --images 8 --batch 4 --rounds 2 --trace /dev/tty </dev/null
    err_has "cannot write /dev/tty: nothing is behind this device here"
fi
for arguments in "show whole" "show whole --json" "infer whole --split test" "infer whole --split test --json" \
    "tune whole --accuracy -0.9" "data info tiny" "profile whole --images 8 --batch 4 --rounds 2 --trace /dev/stdout"; do
    expect 1 bash -c "exec '$EEX' $arguments >/dev/full"
    err_has "cannot write"
done
expect 2 "$EEX" tune whole --accuracy -0.9 -o /dev/stdout
err_has "an HDF5 file is not written in one go"
exit 0
