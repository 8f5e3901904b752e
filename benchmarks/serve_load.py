"""Devices that send rows and calculate nothing (serve_devices.sh).

serve_load.py SERVER.out RUN DEVICES SECONDS under ROWS [ENEMY]   ROWS under way each, as fast as they are answered
serve_load.py SERVER.out RUN DEVICES SECONDS pace RATE [ENEMY]    RATE rows a second of all together, at even times
The hello is that of a real device, which calls us first. Prints one JSON object. ENEMY hostile: beside them one device
that sends as much as it can without ever reading, and one that stalls within a message; both come again. ENEMY behind:
the same, in processor time that nobody with priority wants (serve_devices.sh gives the others some).
"""
import heapq, json, multiprocessing, os, select, socket, struct, subprocess, sys, time

RESULT, HELLO, WELCOME = 36, 96, 16


def hello_of(run, facts):
    listener = socket.create_server(("127.0.0.1", 0))
    device = subprocess.Popen([os.environ["EEX"], "infer", run, "--split", "test", "--policy", "none", "--timeout", "5000",
                               "--cut", str(facts["cut"]), "--bits", str(facts["bits"]), "--threads", "1",
                               "--remote", "127.0.0.1:%d" % listener.getsockname()[1]],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listener.settimeout(60)  # where `eex infer` cannot run (no data set, say) nobody calls
    s, _ = listener.accept()
    s.settimeout(60)
    hello = s.recv(HELLO, socket.MSG_WAITALL)
    device.kill()
    device.wait()
    return hello


def hostile(call, row):
    """Sends as much as goes and reads nothing; beside it somebody begins a message; both come again."""
    flood = stall = None
    while True:
        try:
            if stall is None:
                stall = call()
                stall.sendall(row[:20])
                stall.setblocking(False)
            elif select.select([stall], [], [], 0)[0] and not stall.recv(4096):
                stall = None
        except OSError:
            stall = None
        try:
            if flood is None:
                flood = call()
                flood.setblocking(False)
            flood.send(row)
            continue
        except BlockingIOError:
            pass
        except OSError:
            flood = None
        time.sleep(0.005)


def hostile_behind(call, row):
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    hostile(call, row)


def be_hostile(call, row):
    how = {"hostile": hostile, "behind": hostile_behind}[sys.argv[7]]
    process = multiprocessing.get_context("fork").Process(target=how, args=(call, row))
    process.start()
    return process


def main():
    facts = json.loads(open(sys.argv[1]).readline())
    run, devices, seconds, how, amount = sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5], float(sys.argv[6])
    hello = hello_of(run, facts)
    row = struct.pack("<IB3xQ", facts["row_bytes"] + 8, 4, 0) + bytes(facts["row_bytes"])

    def welcome():
        s = socket.create_connection(("127.0.0.1", facts["port"]))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(hello)
        assert s.recv(WELCOME, socket.MSG_WAITALL)[4] == 2, "not welcome"
        return s

    good = [welcome() for _ in range(devices)]
    enemies = be_hostile(welcome, row) if len(sys.argv) > 7 else None
    poll, by, waiting, sent, times = select.poll(), {}, {}, {}, []
    for s in good:
        poll.register(s, select.POLLIN)
        by[s.fileno()], waiting[s.fileno()], sent[s.fileno()] = s, b"", []

    def send(fd, count):
        now = time.perf_counter()
        sent[fd] += [now] * count
        by[fd].sendall(row * count)

    began = time.perf_counter()
    turns = []
    if how == "under":
        for fd in by:
            send(fd, int(amount))
    else:
        gap = devices / amount  # of a device
        turns = [(began + gap * i / devices, fd) for i, fd in enumerate(by)]
    while (now := time.perf_counter()) < began + seconds:
        while turns and turns[0][0] <= now:
            at, fd = turns[0]
            if len(sent[fd]) < facts["window"]:
                send(fd, 1)
            heapq.heapreplace(turns, (max(at + gap, now - gap), fd))
        wait = 1e3 * (turns[0][0] - time.perf_counter()) if turns else 100
        for fd, _ in poll.poll(max(0, min(wait, 100))):
            data = waiting[fd] + by[fd].recv(65536)
            count, now = len(data) // RESULT, time.perf_counter()
            waiting[fd] = data[RESULT * count:]
            times += [now - t for t in sent[fd][:count]]
            sent[fd] = sent[fd][count:]
            if how == "under":
                send(fd, count)
    if enemies:
        enemies.kill()
        enemies.join()
    times.sort()
    at = lambda q: 1e3 * times[min(len(times) - 1, int(q * len(times)))]
    print(json.dumps({"rows": len(times), "rows_per_second": len(times) / seconds, "p50_ms": at(0.5), "p99_ms": at(0.99)}))


main()
