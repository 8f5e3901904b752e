"""Devices that are not what a server hopes for, and kills of either side (tests/cli/test_serve.sh).

serve_devices.py hostile PORT SERVER.out     hostile devices against a server that runs
serve_devices.py held PORT SERVER.out PID    one that has to wait for its welcome, and the server's end
serve_devices.py crowd PORT PID              more devices than the server has file descriptors for
serve_devices.py kill RUN COUNT WHOLE        kills of server and device, COUNT in all
"""
import json, os, random, re, resource, signal, socket, struct, subprocess, sys, time

MAGIC = b"EEXCOINF"


def frame(kind, body):
    return struct.pack("<IB3x", len(body), kind) + body


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=15)
    s.settimeout(15)
    return s


def rest(s):
    """What the server still says until it closes."""
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except (ConnectionResetError, BrokenPipeError):
        return data


def refusal(data):
    while len(data) >= 8:
        size, kind = struct.unpack_from("<IB", data)
        if kind == 3:
            return data[12:8 + size].decode()
        data = data[8 + size:]
    return None


def refused(port, data, text, shut=False):
    s = connect(port)
    try:
        s.sendall(data)
        if shut:
            s.shutdown(socket.SHUT_WR)
    except (ConnectionResetError, BrokenPipeError):
        pass
    said = refusal(rest(s))
    assert said is not None and text in said, (said, text)
    s.close()


def hostile(port, path):
    facts = json.loads(open(path).readline())
    model = bytes.fromhex(facts["fingerprint"])
    rows, window = facts["row_bytes"], facts["window"]
    rng = random.Random(1)

    def hello(version=1, exit=facts["cut"] - 1, bits=0, size=rows, model=model, policy=bytes(32)):
        return frame(1, MAGIC + struct.pack("<HHB3xQ", version, exit, bits, size) + model + policy)

    refused(port, hello(version=0), "version 0")
    refused(port, hello(version=7), "version 7")
    refused(port, frame(1, MAGIC + struct.pack("<H", 9)), "version 9")
    refused(port, hello(model=bytes(32)), "000000000000000000000000")
    refused(port, hello(size=rows + 1), "bytes")
    refused(port, hello(), "policy")
    refused(port, b"GET / HTTP/1.1\r\n\r\n", "no message of the protocol")
    refused(port, b"\xff" * 8, "no message of the protocol")
    refused(port, struct.pack("<IB3x", 0xffffffff, 1), "4294967295 bytes")
    refused(port, struct.pack("<IB3x", 0, 1), "a hello of 0 bytes")
    refused(port, struct.pack("<IB3x", rows + 8, 4), "before the hello")
    refused(port, hello()[:8] + b"X" * 88, "does not begin as one")
    for _ in range(20):
        s = connect(port)
        try:
            s.sendall(bytes(rng.randrange(256) for _ in range(rng.randrange(9, 3000))))
            s.shutdown(socket.SHUT_WR)
        except (ConnectionResetError, BrokenPipeError):
            pass
        rest(s)
        s.close()
    refused(port, b"\x58\x00", "does not say hello")  # stalls

    # Those that get in: a policy that the server has, which only its refusal names in part, cannot be
    # guessed, so a real device's hello is listened to.
    good = eavesdrop(port, facts)
    def welcome():
        return welcomed(port, good)
    row = frame(4, struct.pack("<Q", 5) + bytes(rows))
    s = welcome()
    s.sendall(row)
    answer = s.recv(36)
    assert answer[4] == 5 and struct.unpack_from("<Q", answer, 8)[0] == 5
    s.sendall(struct.pack("<IB3xQ", rows + 9, 4, 1))
    assert "a row of" in refusal(rest(s))
    s = welcome()
    s.sendall(good)
    assert "twice" in refusal(rest(s)) 
    s = welcome()
    s.sendall(row[:50])
    assert "finish its message" in refusal(rest(s))
    s = welcome()
    until = time.time() + 8
    try:  # a byte now and then
        while time.time() < until:
            s.sendall(row[:1]); row_rest = row[1:]; time.sleep(0.2)
    except (ConnectionResetError, BrokenPipeError):
        pass
    assert time.time() < until, "a device that trickles was not sent away"
    began = time.time()
    flood(port, good, row, window)
    s = welcome()  # who has flooded waits for it
    assert time.time() - began >= 0.2, "a device that has flooded is welcome at once"
    s.sendall(row)
    assert s.recv(36, socket.MSG_WAITALL)[4] == 5
    for _ in range(3):  # gone in the middle
        s = welcome()
        s.sendall(row * 3 + row[:9])
        s.close()


def welcomed(port, hello):
    s = connect(port)
    s.sendall(hello)
    assert s.recv(16)[4] == 2
    return s


def flood(port, hello, row, window):
    s = welcomed(port, hello)
    try:
        s.sendall(row * (40 * window))
    except (ConnectionResetError, BrokenPipeError):
        pass
    rest(s)


def held(port, path, server):
    """A row that comes with the hello of one who is held is a row like others: once it is answered the
    server owes nothing, and ends at once."""
    facts = json.loads(open(path).readline())
    hello = eavesdrop(port, facts)
    row = frame(4, struct.pack("<Q", 5) + bytes(facts["row_bytes"]))
    flood(port, hello, row, facts["window"])
    began = time.time()
    s = welcomed(port, hello + row)
    assert time.time() - began >= 0.1, "it was not held"
    answer = s.recv(36, socket.MSG_WAITALL)
    assert answer[4] == 5 and struct.unpack_from("<Q", answer, 8)[0] == 5
    os.kill(server, signal.SIGTERM)
    began = time.time()
    rest(s)
    assert time.time() - began < 3, "the server waits for rows that it has answered"


def eavesdrop(port, facts):
    """The first message of a device, which calls us in the server's place."""
    listener = socket.create_server(("127.0.0.1", 0))
    device = subprocess.Popen(
        [os.environ["EEX"], "infer", os.path.dirname(facts["model"]), "--split", "test", "--policy",
         "confidence", "--threshold", "1", "--threads", "1", "--timeout", "5000", "--remote",
         "127.0.0.1:%d" % listener.getsockname()[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    s, _ = listener.accept()
    hello = b""
    while len(hello) < 96:
        hello += s.recv(96 - len(hello))
    device.kill()
    device.wait()
    s.close()
    listener.close()
    return hello


def start_server(run, port):
    for _ in range(50):
        p = subprocess.Popen([os.environ["EEX"], "serve", run, "--port", str(port), "--json", "--threads",
                              "1", "--policy", "confidence", "--threshold", "1"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = p.stdout.readline()
        if line:
            return p, json.loads(line)["port"]
        p.wait()
        time.sleep(0.1)
    raise SystemExit("no server")


def strip(line):
    row = json.loads(line)
    row.pop("latency_ms")
    return row, row.pop("by", None)


def idle(pid):
    """The server has nothing to do, and does nothing."""
    def spent():
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = spent()
    time.sleep(0.6)
    assert spent() - before < 0.3, f"{spent() - before} s of processor time in 0.6 s of doing nothing"


def crowd(port, pid):
    limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    room, free = 3, (fd for fd in range(1 << 20) if fd not in used)
    most = [next(free) for _ in range(room)][-1] + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, limit[1]))
    devices = [connect(port) for _ in range(room + 6)]
    for s in devices[room:]:
        assert "no room for another connection" in (refusal(rest(s)) or "")
    idle(pid)
    # Not even for a moment: whoever calls waits, and is let in when there is room.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limit[1]))
    late = connect(port)
    idle(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    late.sendall(b"\xff" * 8)
    assert "no message of the protocol" in (refusal(rest(late)) or "")


def kill(run, count, whole):
    wanted = [json.loads(line) for line in open(whole)]
    rng = random.Random(int(os.environ.get("EEX_SEED", "1")))
    server, port = start_server(run, 0)
    served = fallbacks = 0
    for n in range(count):
        device = subprocess.Popen([os.environ["EEX"], "infer", run, "--split", "test", "--json", "--threads",
                                   "1", "--policy", "confidence", "--threshold", "1", "--timeout", "2000",
                                   "--remote", "127.0.0.1:%d" % port],
                                  stdout=open("device.out", "w"), stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.15))
        of_device = n % 2 == 1
        if of_device:
            device.kill()
            device.wait()
        else:
            server.kill()
            server.wait()
            server, port = start_server(run, port)
            assert device.wait() == 0
        lines = open("device.out").read().split("\n")
        whole_lines = [line for line in lines[:-1] if '"remote"' not in line]
        if not of_device:
            assert len(whole_lines) == len(wanted), "%d answers for %d images" % (len(whole_lines), len(wanted))
        for want, line in zip(wanted, whole_lines):  # in order, each once
            row, by = strip(line)
            assert row["sample"] == want["sample"], (row, want)
            if by == "fallback":
                fallbacks += 1
                continue
            served += by == "server"
            assert row == want, (row, want)
    server.terminate()
    assert server.wait() == 0
    print("%d kills: %d answers of servers, %d fallbacks, none lost, none twice" % (count, served, fallbacks))


if __name__ == "__main__":
    if sys.argv[1] == "hostile":
        hostile(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "held":
        held(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1] == "crowd":
        crowd(int(sys.argv[2]), int(sys.argv[3]))
    else:
        kill(sys.argv[2], int(sys.argv[3]), sys.argv[4])
